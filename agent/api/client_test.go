package api

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestWhoAcceptsIsNotYetAnAgent is about sockets that outlive their agent, or that another program holds.
func TestWhoAcceptsIsNotYetAnAgent(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		within time.Duration
		serve  func(net.Conn)
		wantIn string
	}{
		{"one that hangs up is gone: the file is asked", time.Minute, func(c net.Conn) { c.Close() }, ""},
		{"one that says nothing is named", 50 * time.Millisecond, func(c net.Conn) { _, _ = io.Copy(io.Discard, c); c.Close() }, "does not answer within 50ms"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			listener, err := net.Listen("unix", SocketPath(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go c.serve(conn)
				}
			}()
			q, err := reach(dir, c.within)
			if q != nil {
				t.Error("it is taken for an agent")
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.wantIn) || (c.wantIn == "" && got != "") {
				t.Errorf("error %q, want %q", got, c.wantIn)
			}
		})
	}
}
