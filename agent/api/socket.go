package api

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"
)

// SocketPath is where the running agent takes orders: a unix socket that only its user may open.
func SocketPath(stateDir string) string { return filepath.Join(stateDir, "catpaw.sock") }

// socketPause is how long it takes at most to notice that the socket was removed.
const socketPause = 5 * time.Second

// socket is the control socket of an agent.
type socket struct {
	path string
	log  *zap.Logger
	said bool        // that it cannot be opened
	own  fs.FileInfo // as we made it
}

// ServeSocket serves the control socket in a state directory, again where somebody removes it, and returns how to end
// that. Without it the agent runs as well.
func ServeSocket(stateDir string, a Agent, log *zap.Logger) (end func()) {
	s := &socket{path: SocketPath(stateDir), log: log}
	server := &http.Server{Handler: everything(a), ReadHeaderTimeout: 5 * time.Second, ErrorLog: errorLog(log)}
	stop, done := make(chan struct{}), make(chan struct{})
	var serving sync.WaitGroup
	listener := s.listen()
	go func() {
		defer close(done)
		look := time.NewTicker(socketPause)
		defer look.Stop()
		for {
			if listener != nil {
				open := listener
				serving.Go(func() { _ = server.Serve(open) }) // ends with Close
			}
			for here := true; here; {
				select {
				case <-stop:
					shutDown(server)
					serving.Wait()
					_ = os.Remove(s.path)
					return
				case <-look.C:
					here = s.isOurs()
				}
			}
			if listener != nil {
				listener.Close()
			}
			if listener = s.listen(); listener != nil {
				log.Warn("somebody removed or replaced the control socket; it is opened again")
			}
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

// shutDown lets go of who was asking, after a moment to answer.
func shutDown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = server.Shutdown(ctx)
	server.Close()
}

// isOurs reports whether the name still leads to the socket that we serve.
func (s *socket) isOurs() bool {
	info, err := os.Lstat(s.path)
	return err == nil && s.own != nil && os.SameFile(info, s.own)
}

// listen opens the socket. It says once that it cannot.
func (s *socket) listen() net.Listener {
	_ = os.Remove(s.path) // a leftover: the store's lock says that no other agent runs here
	listener, err := net.Listen("unix", s.path)
	if err == nil {
		listener.(*net.UnixListener).SetUnlinkOnClose(false) // the next one may have the name by then
		err = os.Chmod(s.path, 0o600)
	}
	if err == nil {
		s.own, err = os.Lstat(s.path)
	}
	if err == nil {
		s.said = false
		return listener
	}
	if !s.said {
		s.said = true
		s.log.Warn("cannot open the control socket; catpaw status, why, silence, queue … will not reach this agent", zap.Error(err))
	}
	return nil
}
