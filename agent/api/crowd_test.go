package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// piped is a listener without a network, so that time can be a test's own.
type piped chan net.Conn

func (p piped) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p piped) Close() error   { return nil }
func (p piped) Addr() net.Addr { return &net.UnixAddr{} }

// dial connects.
func (p piped) dial() net.Conn {
	ours, theirs := net.Pipe()
	p <- theirs
	return ours
}

// asked is the status of an answer, 0 where there is none within a while.
func (p piped) asked(method, path string, within time.Duration) int {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	client := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil }, DisableKeepAlives: true}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, nil)
	if err != nil {
		return 0
	}
	response, err := client.RoundTrip(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	return response.StatusCode
}

// serving runs do against a server as [status] makes one, in a time of its own.
func serving(t *testing.T, a Agent, do func(p piped)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := make(piped)
		server := newHTTPServer(Options{Listen: "127.0.0.1:1"}.guard(public(a), func(*http.Request) {}), nil)
		ended := make(chan struct{})
		go func() { defer close(ended); _ = server.Serve(p) }()
		do(p)
		close(p)
		<-ended
		server.Close()
	})
}

// hung is an agent that does not come back from what changes something.
type hung struct {
	still
	until chan struct{}
}

func (h *hung) Ack(_, _, _ string) (Acked, error) {
	<-h.until
	return Acked{}, nil
}

// TestACrowdDoesNotHideThatTheAgentIsWell: health is told while nothing else is, and who waits too long hears that.
func TestACrowdDoesNotHideThatTheAgentIsWell(t *testing.T) {
	t.Parallel()
	agent := &hung{}
	serving(t, agent, func(p piped) {
		agent.until = make(chan struct{})
		for range mostAtOnce {
			go p.asked("POST", root+"ack?key=a", time.Hour)
		}
		synctest.Wait()
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/page.js": 200} {
			if got := p.asked("GET", path, time.Second); got != want {
				t.Errorf("%s in a crowd: %d, want %d", path, got, want)
			}
		}
		for _, path := range []string{"/metrics", root + "status"} {
			if got := p.asked("GET", path, time.Minute); got != http.StatusServiceUnavailable {
				t.Errorf("%s in a crowd: %d", path, got)
			}
		}
		close(agent.until)
		synctest.Wait()
		if got := p.asked("GET", "/metrics", time.Second); got != http.StatusOK {
			t.Errorf("/metrics after it: %d", got)
		}
	})
}

// TestSlowBodiesHoldUpNobody, and are given up.
func TestSlowBodiesHoldUpNobody(t *testing.T) {
	t.Parallel()
	serving(t, &still{}, func(p piped) {
		var slow []net.Conn
		for range mostBodies + 2 {
			c := p.dial()
			fmt.Fprintf(c, "POST %ssilences HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{", root)
			slow = append(slow, c)
		}
		synctest.Wait()
		for _, path := range []string{"/healthz", "/metrics", root + "status"} {
			if got := p.asked("GET", path, time.Second); got != http.StatusOK {
				t.Errorf("%s beside slow bodies: %d", path, got)
			}
		}
		if got := p.asked("POST", root+"ack?key=a", time.Second); got != http.StatusOK {
			t.Errorf("an acknowledgement, which has no body: %d", got)
		}
		begun := time.Now()
		for _, c := range slow {
			response, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			c.Close()
			if response.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(text), "did not arrive within 5s") {
				t.Errorf("a slow body: %d %s", response.StatusCode, text)
			}
		}
		if took := time.Since(begun); took > 2*bodyWithin {
			t.Errorf("given up after %s", took)
		}
	})
}
