package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	stdlog "log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"catpaw/internal/config"
)

// Options are [status]: where people and programs may look at the agent over HTTP.
type Options struct {
	// `host:port`; without `[status]` nothing listens
	Listen string `toml:"listen"`
	// basic auth, with `password`
	User string `toml:"user"`
	// of `user`
	Password config.Secret `toml:"password"`
	// `Authorization: Bearer …`, for programs: a browser cannot send it
	Token config.Secret `toml:"token"`
}

// Init judges the options.
func (o *Options) Init() error {
	var errs []error
	host, port, err := net.SplitHostPort(o.Listen)
	switch {
	case o.Listen == "":
		errs = append(errs, config.Field("listen", `it is missing: say where, as in "127.0.0.1:8940"`))
	case err != nil || !config.IsPort(port):
		errs = append(errs, config.Field("listen", `%q is no address: write it as "127.0.0.1:8940"`, o.Listen))
	case !isLoopback(host) && !o.guarded():
		errs = append(errs, config.Field("listen", "others can reach %q: set user and password, or token", o.Listen))
	}
	if (o.User == "") != (o.Password == "") {
		errs = append(errs, config.Field("user", "user and password go together"))
	}
	return errors.Join(errs...)
}

// network: who writes an address of IPv4 means no other.
func (o *Options) network() string {
	host, _, _ := net.SplitHostPort(o.Listen)
	if address, err := netip.ParseAddr(host); err == nil && address.Is4() {
		return "tcp4"
	}
	return "tcp"
}

func (o *Options) guarded() bool { return o.User != "" && o.Password != "" || o.Token != "" }

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") || err == nil && address.IsLoopback()
}

// Server serves the status page, the API for programs, health and metrics over TCP.
type Server struct {
	handler func() http.Handler // made when it is first served: an agent without a page starts 0.1 ms sooner
	log     *zap.Logger

	wanted, served Options
	server         *http.Server
	serving        sync.WaitGroup
	trouble        atomic.Pointer[string] // why what is wanted cannot be served
}

// NewServer makes one that does not serve yet.
func NewServer(a Agent, log *zap.Logger) *Server {
	return &Server{handler: sync.OnceValue(func() http.Handler { return public(a) }), log: log}
}

// Use begins to serve where the options say, and ceases where they do not. That an address cannot be had is no reason
// not to run: what was served goes on, and Retry tries again. One goroutine may call these methods; Trouble any.
func (s *Server) Use(o Options) {
	s.wanted = o
	s.Retry()
}

// Retry brings what is served in line with what is wanted.
func (s *Server) Retry() {
	o := s.wanted
	switch {
	case o == s.served:
		s.trouble.Store(nil)
		return
	case o.Listen == "" || o.Listen == s.served.Listen:
		s.stop() // the address is free then
	}
	if o.Listen == "" {
		s.trouble.Store(nil)
		return
	}
	listener, err := net.Listen(o.network(), o.Listen)
	if err != nil {
		if s.Trouble() == "" {
			s.log.Error("the status page cannot be served there; it is tried again", zap.String("listen", o.Listen), zap.Error(err))
		}
		text := err.Error()
		s.trouble.Store(&text)
		return
	}
	s.stop()
	s.served = o
	s.trouble.Store(nil)
	server := newHTTPServer(o.guard(s.handler(), s.strangers()), errorLog(s.log))
	s.server = server
	s.serving.Go(func() { _ = server.Serve(listener) }) // ends with Close
	s.log.Info("the status page is served", zap.String("listen", listener.Addr().String()))
}

// newHTTPServer gives nobody for ever: not to ask, nor to take the answer.
func newHTTPServer(handler http.Handler, errors *stdlog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16, ErrorLog: errors,
	}
}

// errorLog is where net/http tells of panics in handlers.
func errorLog(log *zap.Logger) *stdlog.Logger {
	to, err := zap.NewStdLogAt(log, zap.ErrorLevel)
	if err != nil {
		panic(err) // there is such a level
	}
	return to
}

// Trouble is why the page cannot be served, "" where it can, or is not wanted.
func (s *Server) Trouble() string {
	if text := s.trouble.Load(); text != nil {
		return *text
	}
	return ""
}

// Close ceases to serve.
func (s *Server) Close() {
	s.wanted = Options{}
	s.stop()
}

func (s *Server) stop() {
	if s.server != nil {
		shutDown(s.server)
		s.serving.Wait()
	}
	s.server, s.served = nil, Options{}
}

// strangers returns what tells the log of those who do not know the password: at most once a minute, with how many.
// Who brings none is a browser that is about to ask for it.
func (s *Server) strangers() func(*http.Request) {
	var mu sync.Mutex
	var said time.Time
	tries := 0
	return func(r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		tries++
		if time.Since(said) < time.Minute {
			return
		}
		s.log.Warn("somebody tries to log in to the status page with a wrong password or token", zap.String("from", r.RemoteAddr), zap.Int("tries", tries))
		said, tries = time.Now(), 0
	}
}

// guard lets in who may: with the password or the token; where there is neither, who asks for this machine by a
// name of its loopback, so that no page of another site can pass itself off as ours (DNS rebinding). Sites of
// others may change nothing in any case. tell hears of those whom it does not know.
func (o Options) guard(next http.Handler, tell func(*http.Request)) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/healthz" || r.URL.Path == "/readyz": // they tell a word, and who asks often cannot log in
			if o.guarded() && !o.knows(r) {
				r = r.WithContext(context.WithValue(r.Context(), stranger{}, true))
			}
		case !o.guarded() && !isLoopback(hostOf(r)):
			http.Error(w, "ask by 127.0.0.1 or localhost, or set a password in [status]", http.StatusForbidden)
			return
		case o.guarded() && !o.knows(r):
			tell(r)
			w.Header().Set("WWW-Authenticate", `Basic realm="catpaw", charset="UTF-8"`)
			http.Error(w, "log in", http.StatusUnauthorized)
			return
		case o.guarded():
			r = withLogin(r)
		}
		next.ServeHTTP(w, r)
	})
}

// login marks requests of somebody whose user and password are known: what they change is by them, if they do not say
// by whom.
type login struct{}

func withLogin(r *http.Request) *http.Request {
	user, _, ok := r.BasicAuth()
	if !ok { // by the token, which is nobody's
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), login{}, user))
}

// loginOf is who has logged in, "" where nobody had to, or with the token.
func loginOf(r *http.Request) string {
	user, _ := r.Context().Value(login{}).(string)
	return user
}

// stranger marks requests that are answered, but of somebody who has not logged in.
type stranger struct{}

func isStranger(r *http.Request) bool { return r.Context().Value(stranger{}) != nil }

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return strings.Trim(r.Host, "[]")
}

func (o Options) knows(r *http.Request) bool {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return o.Token != "" && same(token, o.Token.Reveal())
	}
	user, password, ok := r.BasicAuth()
	known := same(user, o.User) // both are compared, so that the time tells nothing
	return ok && o.Password != "" && same(password, o.Password.Reveal()) && known
}

// same compares in a time that does not depend on the texts.
func same(a, b string) bool {
	hashA, hashB := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(hashA[:], hashB[:]) == 1
}
