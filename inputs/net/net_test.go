//go:build unix

package net

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	stdnet "net"

	"go.uber.org/goleak"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) {
	if os.Getenv(beListener) != "" {
		listenForParent()
		return
	}
	goleak.VerifyTestMain(m)
}

// serve accepts connections on loopback and hands each to talk, in a goroutine of its own.
func serve(t testing.TB, talk func(stdnet.Conn)) (address string) {
	t.Helper()
	listener, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, listener, talk)
	return listener.Addr().String()
}

func serveOn(t testing.TB, listener stdnet.Listener, talk func(stdnet.Conn)) {
	done := make(chan struct{})
	conns := make(chan stdnet.Conn, 10000)
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns <- conn
			if talk == nil {
				conn.Close()
				continue
			}
			go func() { defer conn.Close(); talk(conn) }()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
		close(conns)
		for conn := range conns {
			conn.Close()
		}
	})
}

// says is a talk that says something and then waits for the peer to leave.
func says(pieces ...string) func(stdnet.Conn) {
	return func(conn stdnet.Conn) {
		for _, piece := range pieces {
			io.WriteString(conn, piece)
		}
		io.Copy(io.Discard, conn)
	}
}

// look runs a probe made of TOML on one target and returns its event.
func look(t *testing.T, target, options string) *pipeline.Event {
	t.Helper()
	events := gather(t, target, options)
	return events[0]
}

func gather(t *testing.T, target, options string) []*pipeline.Event {
	t.Helper()
	p := New()
	pipetest.Options(t, fmt.Sprintf("targets = [%q]\n%s", target, options), p)
	return pipetest.Gather(t, p)
}

func want(t *testing.T, e *pipeline.Event, status pipeline.Status, pieces ...string) {
	t.Helper()
	if e.Status != status {
		t.Errorf("status %v, want %v: %s", e.Status, status, e.Description)
	}
	for _, piece := range pieces {
		if !strings.Contains(e.Description, piece) {
			t.Errorf("description does not say %q: %s", piece, e.Description)
		}
	}
}

const patient = "read_timeout = 20\ntimeout = 20\n"

func TestConnect(t *testing.T) {
	t.Parallel()
	address := serve(t, nil)
	e := look(t, address, "")
	want(t, e, pipeline.Ok)
	if got := e.Labels.String(); got != "check=tcp check protocol=tcp target="+address {
		t.Errorf("labels %s", got)
	}
	if e.Attrs[0].Key != "connect_seconds" || e.Attrs[0].Value.(float64) <= 0 {
		t.Errorf("attrs %v", e.Attrs)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	listener, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	want(t, look(t, listener.Addr().String(), ""), pipeline.Warning, "cannot connect: connect: connection refused", listener.Addr().String())
}

func TestAPortAloneMeansLocalhost(t *testing.T) {
	t.Parallel()
	_, port, _ := stdnet.SplitHostPort(serve(t, nil))
	e := look(t, ":"+port, "")
	if e.Labels.Get("target") != "localhost:"+port {
		t.Errorf("target %s", e.Labels.Get("target"))
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	listener, err := stdnet.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	serveOn(t, listener, nil)
	want(t, look(t, listener.Addr().String(), ""), pipeline.Ok)
}

func TestWhatIsSaidAndExpected(t *testing.T) {
	t.Parallel()
	echo := serve(t, func(conn stdnet.Conn) { io.Copy(conn, conn) })
	big := serve(t, says(strings.Repeat("x", maxAnswer), "late"))
	for name, c := range map[string]struct {
		target, options string
		status          pipeline.Status
		pieces          []string
	}{
		"a banner is waited for":           {serve(t, says("220 ready")), `expect = "220"`, pipeline.Ok, nil},
		"in pieces and without a newline":  {serve(t, says("22", "0 re", "ady")), `expect = "220 ready"`, pipeline.Ok, nil},
		"a pattern too":                    {serve(t, says("SSH-2.0-x")), `expect_regex = '^SSH-\d'`, pipeline.Ok, nil},
		"both must be there":               {serve(t, func(c stdnet.Conn) { io.WriteString(c, "abc") }), "expect = 'a'\nexpect_regex = 'z'", pipeline.Warning, []string{"match of /z/", `text "a"`}},
		"the wrong banner is shown":        {serve(t, func(c stdnet.Conn) { io.WriteString(c, "500 no\r\n") }), `expect = "220"`, pipeline.Warning, []string{"closed before the expected text came", `"500 no\r\n", 8 bytes`}},
		"silence until the peer leaves":    {serve(t, nil), `expect = "220"`, pipeline.Warning, []string{"without an answer"}},
		"send and expect":                  {echo, "send = 'ping'\nexpect = 'ping'", pipeline.Ok, nil},
		"escapes":                          {echo, `send = 'a\r\n\x00\\b'` + "\n" + `expect = "a\r\n\u0000\\\\b"`, pipeline.Ok, nil},
		"sent and nothing expected":        {echo, "send = 'ping'", pipeline.Ok, nil},
		"an answer beyond 64 KiB is cut":   {big, "expect = 'late'", pipeline.Warning, []string{"not in the first 65536 bytes", "65536 bytes"}},
		"the expected text over two reads": {serve(t, says(strings.Repeat("y", 4095), "needle")), "expect = 'yneedle'", pipeline.Ok, nil},
		"an answer that is not text":       {serve(t, func(c stdnet.Conn) { c.Write([]byte{0, 0xff, 27}) }), "expect = 'a'", pipeline.Warning, []string{`"\x00\xff\x1b"`}},
		"a service that speaks no TLS":     {serve(t, func(c stdnet.Conn) { io.WriteString(c, "220 ready") }), "tls = true", pipeline.Warning, []string{"TLS: "}},
		"a name that cannot be resolved":   {"no-such-host.invalid:1", "", pipeline.Warning, []string{"no-such-host.invalid cannot be resolved"}},
		"the expected text came in time":   {serve(t, says("x")), "expect = 'x'\nresponse_time = 20", pipeline.Ok, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, look(t, c.target, patient+c.options), c.status, c.pieces...)
		})
	}
}

func TestReadTimeoutIsForTheWholeAnswer(t *testing.T) {
	t.Parallel()
	drips := serve(t, func(conn stdnet.Conn) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(conn, "."); err != nil {
				return
			}
		}
	})
	want(t, look(t, drips, "expect = 'x'\nread_timeout = 0.2"), pipeline.Warning, "did not come within 200ms", "....")
	silent := serve(t, says())
	want(t, look(t, silent, "expect = 'x'\nread_timeout = 0.1"), pipeline.Warning, "no answer within 100ms")
}

func TestAnAnswerIsSeenAsSoonAsItIsThere(t *testing.T) {
	t.Parallel()
	// With a read timeout of an hour, waiting for more than the expected text would never end.
	want(t, look(t, serve(t, says("ready")), "expect = 'ready'\nread_timeout = '1h'"), pipeline.Ok)
}

func TestResponseTime(t *testing.T) {
	t.Parallel()
	events := gather(t, serve(t, says("x")), patient+"expect = 'x'\nresponse_time = 0.000001")
	want(t, pipetest.Find(t, events, "tcp check", ""), pipeline.Ok)
	want(t, pipetest.Find(t, events, "tcp response too slow", ""), pipeline.Warning, "within 1µs")
	events = gather(t, serve(t, nil), patient+"expect = 'x'\nresponse_time = 20")
	want(t, pipetest.Find(t, events, "tcp check", ""), pipeline.Warning)
	want(t, pipetest.Find(t, events, "tcp response too slow", ""), pipeline.Unknown)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600)
	talk := "send = 'GET / HTTP/1.0\\r\\n\\r\\n'\nexpect = 'HTTP/1.0 404'\n" + patient

	want(t, look(t, address, "tls = true\n"+talk), pipeline.Warning, "TLS: ", "certificate")
	e := look(t, address, "tls = true\ntls_ca = '"+ca+"'\n"+talk)
	want(t, e, pipeline.Ok)
	var keys []string
	for _, attr := range e.Attrs {
		keys = append(keys, attr.Key)
	}
	if got := strings.Join(keys, " "); got != "connect_seconds cert_expiry_days tls_seconds response_seconds" {
		t.Errorf("attrs %s", got)
	}
	want(t, look(t, address, "use_tls = true\ninsecure_skip_verify = true\n"+talk), pipeline.Ok)
	want(t, look(t, address, "tls = true\ntls_server_name = 'other.example'\ntls_ca = '"+ca+"'\n"+talk), pipeline.Warning, "other.example")
}

func TestTheHandshakeHasADeadline(t *testing.T) {
	t.Parallel()
	want(t, look(t, serve(t, says()), "tls = true\ntimeout = 0.1"), pipeline.Warning, "TLS: timeout after 100ms")
}

func TestUDP(t *testing.T) {
	t.Parallel()
	conn, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1000)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if string(buffer[:n]) == "big" {
				conn.WriteTo([]byte(strings.Repeat("z", 9000)+"end"), from)
				continue
			}
			conn.WriteTo([]byte("noise"), from)
			conn.WriteTo(append([]byte("re:"), buffer[:n]...), from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	address := conn.LocalAddr().String()
	udp := "protocol = 'udp'\n" + patient
	e := look(t, address, udp+"send = 'hi'\nexpect = 're:hi'")
	want(t, e, pipeline.Ok)
	if e.Labels.Get("check") != "udp check" {
		t.Errorf("labels %v", e.Labels)
	}
	want(t, look(t, address, udp+"send = 'big'\nexpect = 'zend'"), pipeline.Ok)
	want(t, look(t, address, "protocol = 'udp'\nsend = 'hi'\nexpect = 'other'\nread_timeout = 0.2"), pipeline.Warning, `"noisere:hi"`)
}

func TestUDPThatNobodyListensTo(t *testing.T) {
	t.Parallel()
	conn, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	want(t, look(t, conn.LocalAddr().String(), "protocol = 'udp'\nsend = 'hi'\nexpect = 'x'\n"+patient), pipeline.Warning, "connection refused: an ICMP message")
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for options, fault := range map[string]string{
		"targets = ['127.0.0.1']":           `test.toml:1: targets[0]: "127.0.0.1" is not host:port`,
		"targets = ['']":                    `targets[0]: "" is not host:port`,
		"targets = [':1', '127.0.0.1:0']":   `targets[1]: "127.0.0.1:0" has no port between 1 and 65535`,
		"targets = ['127.0.0.1:65536']":     `has no port between 1 and 65535`,
		"targets = ['127.0.0.1:-1']":        `has no port between 1 and 65535`,
		"targets = ['127.0.0.1:nonsense']":  `has no port between 1 and 65535`,
		"protocol = 'tpc'":                  `protocol: "tpc" is not one of "tcp", "udp"; did you mean "tcp"?`,
		"protocol = 'tpc'\ntargets = ['a']": `test.toml:2: targets[0]: "a" is not host:port`,
		"concurrency = 0":                   `concurrency: 0 is not between 1 and 10000`,
		"timeout = 0":                       `timeout: must be more than 0`,
		"read_timeout = 0":                  `read_timeout: must be more than 0`,
		"response_time = -1":                `response_time: duration -1 is out of range`,
		`send = 'a\q'`:                      `send: unknown escape \q`,
		`send = 'a\'`:                       `send: ends in a lone backslash`,
		`expect = '\x4'`:                    `expect: "\\x4" is cut short`,
		`expect = '\xzz'`:                   `expect: "\\xzz" is no byte`,
		"expect_regex = '('":                `expect_regex: error parsing regexp`,
		"targets = ['http://a:80/']":        `targets[0]: "http://a:80/" is a URL, not host:port`,
		"targets = ['[web]:80']":            `only an IPv6 address stands in brackets`,
		"targets = [' a:80']":               `targets[0]: " a:80": ' ' cannot be part of a host name`,
		"targets = ['a/b:80']":              `'/' cannot be part of a host name`,
		"targets = ['::1:80']":              `is not host:port`,
		"targets = ['a:']":                  `has no port between 1 and 65535`,
		`send = 'a\ü'`:                      `send: unknown escape \ü`,
		`expect = 'a\q'`:                    `expect: unknown escape \q`,
		"tls_ca = '/x'\nuse_tls = false":    `test.toml:1: tls_ca: counts only with tls = true`,
		"tls_server_name = 'x'":             `tls_server_name: counts only with tls = true`,
		"insecure_skip_verify = true":       `insecure_skip_verify: counts only with tls = true`,
		"tls = 'yes'":                       `tls: expected true or false`,
		"expct = 'x'":                       `unknown option "expct"; did you mean "expect"?`,
		"expect = '" + strings.Repeat("x", maxAnswer+1) + "'":                                 `expect: has 65537 bytes`,
		"protocol = 'udp'\nexpect = 'y'\nsend = '" + strings.Repeat("x", maxDatagram+1) + "'": `test.toml:3: send: has 65508 bytes`,
		"protocol = 'udp'":                                       `protocol: a udp check needs send`,
		"protocol = 'udp'\nsend = 'x'":                           `a udp check needs send, and expect`,
		"protocol = 'udp'\nsend = 'x'\nexpect = 'y'\ntls = true": `test.toml:4: tls: is for tcp only`,
		"tls = true\ntls_ca = '/nowhere'":                        `tls_ca: open /nowhere`,
		"tls = true\ntls_cert = '/nowhere'":                      `tls_cert: needs tls_key`,
		"tls = true\ntls_key = '/nowhere'":                       `tls_key: needs tls_cert`,
	} {
		pipetest.WantError(t, pipetest.TryOptions(options, New()), fault)
	}
}

func TestNamedPortsAndNoTargets(t *testing.T) {
	t.Parallel()
	pipetest.Options(t, "targets = ['127.0.0.1:http']", New())
	p := New()
	pipetest.Options(t, "targets = []", p)
	if events := pipetest.Gather(t, p); len(events) != 0 {
		t.Errorf("%d events", len(events))
	}
}

func TestKeysAreThoseOfTheEvents(t *testing.T) {
	t.Parallel()
	p := New()
	pipetest.Options(t, fmt.Sprintf("targets = [%q, %q]\nresponse_time = 9", serve(t, nil), serve(t, nil)), p)
	keys := map[string]bool{}
	for _, labels := range p.Keys() {
		keys[fmt.Sprint(labels)] = true
	}
	for _, e := range pipetest.Gather(t, p) {
		if !keys[fmt.Sprint(e.Labels)] {
			t.Errorf("%v is not among the keys", e.Labels)
		}
		delete(keys, fmt.Sprint(e.Labels))
	}
	if len(keys) != 0 {
		t.Errorf("no event for %v", keys)
	}
}

func TestMaxGatherCountsRounds(t *testing.T) {
	t.Parallel()
	p := New()
	p.Targets, p.Concurrency = make([]string, 250), 100
	if got := p.MaxGather(); got != 3*time.Second {
		t.Errorf("only connecting: %v", got)
	}
	p.ReadTimeout, p.Send = config.Duration(2*time.Second), "x"
	if got := p.MaxGather(); got != 9*time.Second {
		t.Errorf("connecting and talking: %v", got)
	}
}
