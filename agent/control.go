package agent

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
)

// socketPath is where the running agent takes orders: JSON over HTTP on a unix socket that only its
// user may open.
func socketPath(stateDir string) string { return filepath.Join(stateDir, "catpaw.sock") }

// apiRoot begins every path of the API.
const apiRoot = "/api/v1/"

// socketPause is how long it takes at most to notice that the socket was removed.
const socketPause = 5 * time.Second

// control serves the socket, again where somebody removes it, and returns how to end that. Without it the
// agent runs as well.
func (a *Agent) control() (end func()) {
	server := &http.Server{Handler: a.routes(), ReadHeaderTimeout: 5 * time.Second}
	stop, done := make(chan struct{}), make(chan struct{})
	var serving sync.WaitGroup
	listener := a.listen()
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
					server.Close()
					serving.Wait()
					_ = os.Remove(socketPath(a.stateDir))
					return
				case <-look.C:
					_, err := os.Stat(socketPath(a.stateDir))
					here = err == nil
				}
			}
			listener = a.listen()
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

// listen opens the socket. It says once that it cannot.
func (a *Agent) listen() net.Listener {
	path := socketPath(a.stateDir)
	_ = os.Remove(path) // a leftover: the store's lock says that no other agent runs here
	listener, err := net.Listen("unix", path)
	if err == nil {
		listener.(*net.UnixListener).SetUnlinkOnClose(false) // the next one may have the name by then
		err = os.Chmod(path, 0o600)
	}
	if err == nil {
		return listener
	}
	if !a.deaf {
		a.deaf = true
		a.log.Warn("cannot open the control socket; catpaw queue will not reach this agent", zap.Error(err))
	}
	return nil
}

func (a *Agent) routes() http.Handler {
	queues := a.queues()
	mux := http.NewServeMux()
	a.lookRoutes(mux)
	mux.HandleFunc("POST "+apiRoot+"reload", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(a.reloadNow(r.Context()))
	})
	mux.HandleFunc("POST "+apiRoot+"loglevel", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(a.setLogLevel(r.FormValue("level")))
	})
	a.muteRoutes(mux)
	mux.HandleFunc("GET "+apiRoot+"queues/{name}/events", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.ParseUint(r.FormValue("after"), 10, 64)
		reply(w)(queues.Events(r.PathValue("name"), r.FormValue("dead") != "", after))
	})
	mux.HandleFunc("POST "+apiRoot+"queues/{name}/purge", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(queues.Purge(r.PathValue("name"), r.FormValue("dead") != ""))
	})
	mux.HandleFunc("POST "+apiRoot+"queues/{name}/redrive", func(w http.ResponseWriter, r *http.Request) {
		reply(w)(queues.Redrive(r.PathValue("name"), r.FormValue("to")))
	})
	return mux
}

// reply writes a value, or the error as text.
func reply(w http.ResponseWriter) func(value any, err error) {
	return func(value any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value) // who asked may have gone
	}
}
