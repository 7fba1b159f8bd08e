package api

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
)

// TestASocketThatWasReplacedIsNotOurs, and is opened again unless what lies there cannot be removed.
func TestASocketThatWasReplacedIsNotOurs(t *testing.T) {
	t.Parallel()
	s := &socket{path: SocketPath(t.TempDir()), log: zap.NewNop()}
	reopen := func() {
		t.Helper()
		listener := s.listen()
		if listener == nil || !s.isOurs() {
			t.Fatal("it is not opened again")
		}
		t.Cleanup(func() { listener.Close() })
	}
	reopen()
	for name, replace := range map[string]func() error{
		"a file":      func() error { return os.WriteFile(s.path, []byte("hi"), 0o600) },
		"a link":      func() error { return os.Symlink("elsewhere", s.path) },
		"a directory": func() error { return os.Mkdir(s.path, 0o700) },
		"nothing":     func() error { return nil },
	} {
		if err := os.Remove(s.path); err != nil {
			t.Fatal(err)
		}
		if err := replace(); err != nil {
			t.Fatal(err)
		}
		if s.isOurs() {
			t.Errorf("%s is taken for our socket", name)
		}
		reopen()
	}
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if s.listen() != nil || !s.said {
		t.Error("a full directory is in the way, and it is not said")
	}
}

// TestAPageThatCannotMoveStaysWhereItIs until its new address can be had.
func TestAPageThatCannotMoveStaysWhereItIs(t *testing.T) {
	t.Parallel()
	address := func() (string, net.Listener) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return taken.Addr().String(), taken
	}
	old, free := address()
	free.Close()
	wanted, taken := address()
	s := NewServer(&still{}, zap.NewNop())
	defer s.Close()
	answers := func(at string) bool {
		response, err := http.Get("http://" + at + "/healthz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	s.Use(Options{Listen: old})
	if s.Trouble() != "" || !answers(old) {
		t.Fatalf("it is not served: %s", s.Trouble())
	}
	s.Use(Options{Listen: wanted})
	if s.Trouble() == "" || !answers(old) {
		t.Errorf("the new address is taken: trouble %q, the old one answers: %v", s.Trouble(), answers(old))
	}
	taken.Close()
	if s.Retry(); s.Trouble() != "" || !answers(wanted) || answers(old) {
		t.Errorf("the new address is free: trouble %q", s.Trouble())
	}
	s.Use(Options{Listen: wanted, Token: "secret"})
	if s.Trouble() != "" || !answers(wanted) {
		t.Errorf("with a token: trouble %q", s.Trouble())
	}
	if s.Use(Options{}); answers(wanted) {
		t.Error("it is served on")
	}
}
