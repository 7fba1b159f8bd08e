package nats

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"catpaw/internal/config"
	"catpaw/outputs/internal/address"
)

const (
	dialTimeout   = 2 * time.Second        // one dead server must not cost the time for the others
	reconnectWait = 500 * time.Millisecond // doubled up to the next while nobody lets us in
	reconnectMost = 8 * time.Second
	writeTimeout  = 2 * time.Second  // of a server that hangs; the library holds a lock meanwhile
	maxValue      = 100              // bytes of a value in a subject
	pingInterval  = 20 * time.Second // twice without an answer, and the connection counts as dead
	maxSubject    = 255              // bytes; NATS itself sets no limit but that of a line
)

// Init judges the options. It opens no connection.
func (o *Output) Init() error {
	errs := []error{o.judgeServers(), o.Format.Check(), o.judgeStream()}
	subject, err := address.Parse(o.Subject, address.Rules{Value: safe, Judge: judgeSubject})
	if err != nil {
		errs = append(errs, config.Field("subject", "%v", err))
	}
	o.subject = subject
	o.redact.Add(o.Token.Reveal(), o.NKey.Reveal())
	o.redact.AddLogin(o.User, o.Password.Reveal())
	o.options = []nats.Option{
		nats.Name(o.ClientName), nats.Timeout(dialTimeout), nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(2),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.CustomReconnectDelay(pauseBetween), nats.IgnoreAuthErrorAbort(),
		nats.FlusherTimeout(writeTimeout),
		nats.SetCustomDialer(&dialer{net.Dialer{Timeout: dialTimeout}}),
		nats.ReconnectBufSize(-1), // what cannot be sent now is ours to keep: the library would send it once more later
		nats.ReconnectErrHandler(o.heard), nats.DisconnectErrHandler(o.heard), nats.ErrorHandler(func(c *nats.Conn, _ *nats.Subscription, err error) { o.heard(c, err) }),
	}
	login, err := o.login()
	errs = append(errs, err)
	secure, err := o.secure()
	errs = append(errs, err)
	o.options = append(o.options, append(login, secure...)...)
	return errors.Join(errs...)
}

func (o *Output) judgeServers() error {
	var errs []error
	if len(o.Servers) == 0 {
		errs = append(errs, config.Field("servers", `it is empty: name a server, as in ["nats://127.0.0.1:4222"]`))
	}
	schemes := []string{"nats", "tls", "ws", "wss"}
	for i, server := range o.Servers {
		option := fmt.Sprintf("servers[%d]", i)
		if !strings.Contains(server, "://") {
			server = "nats://" + server
		}
		u, err := url.Parse(server)
		switch {
		case err != nil || u.Hostname() == "" || !config.IsPort(u.Port()):
			errs = append(errs, config.Field(option, `write it as "nats://host:4222"`))
		case !slices.Contains(schemes, u.Scheme):
			errs = append(errs, config.Field(option, "%q is not one of nats, tls, ws, wss", u.Scheme))
		case u.User != nil:
			errs = append(errs, config.Field(option, "a login does not stand in the address: use user and password, or token"))
		}
	}
	return errors.Join(errs...)
}

func (o *Output) judgeStream() error {
	var errs []error
	for option, set := range map[string]bool{"stream": o.Stream != "", "create_stream": o.CreateStream} {
		if set && !o.JetStream {
			errs = append(errs, config.Field(option, "it needs jetstream = true"))
		}
	}
	if o.CreateStream && o.subjects() == ">" {
		errs = append(errs, config.Field("create_stream", "the subject begins with a template, so the stream would take every subject: begin it with a fixed word, as in catpaw.{{.Plugin}}"))
	}
	if o.CreateStream && o.Stream == "" {
		errs = append(errs, config.Field("create_stream", "say which, with stream"))
	}
	if strings.ContainsAny(o.Stream, " .*>/\\\t\r\n") {
		errs = append(errs, config.Field("stream", "%q cannot be the name of a stream: no blanks, dots, stars, > or slashes", o.Stream))
	}
	return errors.Join(errs...)
}

// login is how we say who we are.
func (o *Output) login() ([]nats.Option, error) {
	ways := map[string]bool{"user": o.User != "" || o.Password != "", "token": o.Token != "", "nkey": o.NKey != "", "credentials": o.Credentials != ""}
	var set []string
	for _, way := range []string{"user", "token", "nkey", "credentials"} {
		if ways[way] {
			set = append(set, way)
		}
	}
	if len(set) > 1 {
		return nil, config.Field(set[1], "%s is set too: choose one", set[0])
	}
	switch {
	case ways["user"] && o.User == "":
		return nil, config.Field("password", "needs user beside it")
	case ways["user"]:
		return []nats.Option{nats.UserInfo(o.User, o.Password.Reveal())}, nil
	case ways["token"]:
		return []nats.Option{nats.Token(o.Token.Reveal())}, nil
	case ways["credentials"]:
		if _, err := os.ReadFile(o.Credentials); err != nil {
			return nil, config.Field("credentials", "%v", err)
		}
		return []nats.Option{nats.UserCredentials(o.Credentials)}, nil
	case !ways["nkey"]:
		return nil, nil
	}
	pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(o.NKey.Reveal())))
	if err != nil {
		return nil, config.Field("nkey", "it is no seed of a user, which begins with SU")
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, config.Field("nkey", "it is no seed of a user, which begins with SU")
	}
	return []nats.Option{nats.Nkey(public, pair.Sign)}, nil
}

func (o *Output) secure() ([]nats.Option, error) {
	set := o.CA != "" || o.Cert != "" || o.Key != "" || o.ServerName != "" || o.InsecureSkipVerify
	if !o.TLS && !set {
		return nil, nil
	}
	if !o.TLS && !slices.ContainsFunc(o.Servers, func(s string) bool { return strings.HasPrefix(s, "tls://") || strings.HasPrefix(s, "wss://") }) {
		return nil, config.Field("tls", "TLS options need tls = true, or a server written tls://")
	}
	conf, err := o.Config()
	if err != nil {
		return nil, err
	}
	return []nats.Option{nats.Secure(conf)}, nil
}

// pauseBetween is how long the library waits after it has tried all servers in vain.
func pauseBetween(rounds int) time.Duration {
	return min(reconnectMost, reconnectWait<<min(max(rounds-1, 0), 10))
}

// safe makes a value one token of a subject: dots, stars, > and blanks would mean something. Long ones are cut.
func safe(value string) string {
	if len(value) > maxValue {
		value = strings.ToValidUTF8(value[:maxValue], "")
	}
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '*' || r == '>' || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, value)
}

// judgeSubject is for subjects that one can publish to. The library itself lets "a..b" and "a.*" pass.
func judgeSubject(subject string) error {
	switch {
	case subject == "":
		return errors.New("it is empty: write a subject, as in catpaw.events")
	case len(subject) > maxSubject:
		return fmt.Errorf("a subject of %d bytes is too long: %d are allowed", len(subject), maxSubject)
	case strings.HasPrefix(subject, "$"):
		return errors.New("subjects that begin with $ are the server's own")
	case strings.ContainsFunc(subject, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return errors.New("a subject has no blanks")
	}
	for token := range strings.SplitSeq(subject, ".") {
		switch token {
		case "":
			return errors.New("a subject has no empty part: no dot at its ends, and none beside another")
		case "*", ">":
			return errors.New("one cannot publish to a wildcard")
		}
	}
	return nil
}
