package hostile

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// talk is how a server treats one connection. It returns when it is done with it.
type talk func(c *conversation)

// conversation is one connection, on the server's side.
type conversation struct {
	net.Conn
	reader *bufio.Reader
	closed <-chan struct{} // the test is over
}

// request reads one request to its end and returns it, or nil when there is none.
func (c *conversation) request() *http.Request {
	r, err := http.ReadRequest(c.reader)
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil
	}
	return r
}

func (c *conversation) say(format string, args ...any) error {
	_, err := fmt.Fprintf(c, format, args...)
	return err
}

// well is a sink as it should be.
func well(c *conversation) {
	for c.request() != nil {
		if c.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") != nil {
			return
		}
	}
}

// server listens on loopback and treats every connection, from its first byte, as it was last told.
type server struct {
	net.Listener
	wg     sync.WaitGroup
	closed chan struct{}

	mu    sync.Mutex
	do    talk
	tls   *tls.Config // nil: none
	conns map[net.Conn]bool
	hits  int
}

// listen starts a server on a free port, or on the listener given.
func listen(t *testing.T, l net.Listener) *server {
	t.Helper()
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	s := &server{Listener: l, closed: make(chan struct{}), conns: map[net.Conn]bool{}, do: well}
	s.wg.Go(s.serve)
	t.Cleanup(func() {
		close(s.closed)
		s.Close()
		s.hangUp()
		s.wg.Wait()
	})
	return s
}

func (s *server) url(scheme string) string {
	return fmt.Sprintf("%s://user:%s@%s/hook/%s?integration_key=%s", scheme, password, s.Addr(), token, key)
}

// behave changes how connections are treated. Those there are end.
func (s *server) behave(do talk) {
	s.mu.Lock()
	s.do = do
	s.mu.Unlock()
	s.hangUp()
}

func (s *server) speak(cfg *tls.Config) {
	s.mu.Lock()
	s.tls = cfg
	s.mu.Unlock()
	s.hangUp()
}

func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		conn.Close()
	}
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits
}

func (s *server) serve() {
	for {
		conn, err := s.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		s.mu.Lock()
		do, cfg := s.do, s.tls
		s.conns[conn] = true
		s.hits++
		s.mu.Unlock()
		s.wg.Go(func() {
			defer s.forget(conn)
			c := &conversation{Conn: conn, closed: s.closed}
			if cfg != nil {
				c.Conn = tls.Server(conn, cfg)
			}
			c.reader = bufio.NewReader(c.Conn)
			do(c)
		})
	}
}

func (s *server) forget(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
}
