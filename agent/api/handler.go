package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync"
	"time"
)

// root begins every path of the API.
const root = "/api/v1/"

// call is one thing that the API can be asked for.
type call struct {
	method, path string
	public       bool // also where [status] listen says; all else is for the control socket, which is the owner's
	json         bool // it takes a body of JSON; all else takes parameters
	do           func(Agent, *http.Request) (any, error)
}

// calls are the whole API.
var calls = []call{
	{"GET", "status", true, false, func(a Agent, _ *http.Request) (any, error) { return a.Status() }},
	{"GET", "why", true, false, func(a Agent, r *http.Request) (any, error) { return a.Why(r.FormValue("q")) }},
	{"GET", "queues", true, false, func(a Agent, _ *http.Request) (any, error) { return a.List() }},
	{"GET", "silences", true, false, func(a Agent, _ *http.Request) (any, error) { return a.Silences() }},
	{"POST", "silences", true, true, addSilence},
	{"DELETE", "silences/{id}", true, false, endSilence},
	{"PUT", "silences/{id}/process", true, true, follow},
	{"POST", "ack", true, false, func(a Agent, r *http.Request) (any, error) {
		return a.Ack(r.FormValue("key"), cmp.Or(r.FormValue("by"), loginOf(r)), r.FormValue("reason"))
	}},
	{"DELETE", "ack", true, false, func(a Agent, r *http.Request) (any, error) { return a.Unack(r.FormValue("key")) }},
	{"POST", "reload", false, false, func(a Agent, r *http.Request) (any, error) { return a.Reload(r.Context()) }},
	{"POST", "loglevel", false, false, func(a Agent, r *http.Request) (any, error) { return a.SetLogLevel(r.FormValue("level")) }},
	{"GET", "queues/{name}/events", false, false, queuedEvents},
	{"POST", "queues/{name}/purge", false, false, func(a Agent, r *http.Request) (any, error) {
		return a.Purge(r.PathValue("name"), r.FormValue("dead") != "")
	}},
	{"POST", "queues/{name}/redrive", false, false, func(a Agent, r *http.Request) (any, error) {
		return a.Redrive(r.PathValue("name"), r.FormValue("to"))
	}},
}

// limits are how many requests there may be at a time; the zero value sets none.
type limits struct {
	reading   places // bodies
	answering places
}

// routes adds the API, or what is public of it.
func routes(mux *http.ServeMux, a Agent, onlyPublic bool, l limits) {
	for _, c := range calls {
		if onlyPublic && !c.public {
			continue
		}
		answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !c.json {
				if err := readForm(r); err != nil {
					reply(w)(nil, err)
					return
				}
			}
			reply(w)(c.do(a, r))
		})
		mux.Handle(c.method+" "+root+c.path, withBody(l.reading, l.answering.in(answer)))
	}
}

func addSilence(a Agent, r *http.Request) (any, error) {
	var n NewSilence
	if err := decode(r, "a silence", &n); err != nil {
		return nil, err
	}
	n.By = cmp.Or(n.By, loginOf(r))
	return a.AddSilence(n)
}

func endSilence(a Agent, r *http.Request) (any, error) {
	id, err := silenceID(r)
	if err != nil {
		return nil, err
	}
	return a.EndSilence(id)
}

func follow(a Agent, r *http.Request) (any, error) {
	id, err := silenceID(r)
	if err != nil {
		return nil, err
	}
	var p Process
	if err := decode(r, "a process", &p); err != nil {
		return nil, err
	}
	return a.Follow(id, p)
}

func queuedEvents(a Agent, r *http.Request) (any, error) {
	after, err := strconv.ParseUint(r.FormValue("after"), 10, 64)
	if err != nil && r.FormValue("after") != "" {
		return nil, fmt.Errorf("after: %q is no seq of an event", r.FormValue("after"))
	}
	return a.Events(r.PathValue("name"), r.FormValue("dead") != "", after)
}

func silenceID(r *http.Request) (int, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, fmt.Errorf("%q is no number of a silence", r.PathValue("id"))
	}
	return id, nil
}

// decode reads a body, strictly: a misspelt name must not become something that nobody asked for.
func decode(r *http.Request, what string, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("something follows it")
		}
	}
	if err != nil {
		return fmt.Errorf("the body is no JSON of %s: %w", what, err)
	}
	return nil
}

// reply writes a value, or the error as text.
func reply(w http.ResponseWriter) func(value any, err error) {
	return func(value any, err error) {
		if err != nil {
			code, text := statusOf(err)
			http.Error(w, text, code)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value) // who asked may have gone
	}
}

// everything is what the control socket serves.
func everything(a Agent) http.Handler {
	mux := http.NewServeMux()
	routes(mux, a, false, limits{})
	profiles(mux)
	return mux
}

// profiles are what go tool pprof asks for: where an agent spends its time and memory.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // also heap, goroutine, allocs, block, mutex
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

// public is what is served over TCP. What empties queues, shows events or changes the agent itself is not. Whether the
// agent is well is said whatever else is asked of it: a watchdog must not take a crowd for a corpse.
func public(a Agent) http.Handler {
	mux := http.NewServeMux()
	pageRoutes(mux)
	l := limits{reading: make(places, mostBodies), answering: make(places, mostAtOnce)}
	routes(mux, a, true, l)
	mux.HandleFunc("GET /healthz", sayWell(a.Stuck))
	mux.HandleFunc("GET /readyz", sayWell(a.Unwell))
	mux.Handle("GET /metrics", l.answering.in(sayMetrics(a)))
	return strictly(mux)
}

func sayMetrics(a Agent) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		status, err := a.Status()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = writeMetrics(w, status)
	}
}

// sayWell asks at most once a second, for anybody may ask, and tells why it is not well only who has logged in.
func sayWell(judge func() error) http.HandlerFunc {
	var mu sync.Mutex
	var asked time.Time
	var verdict error
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if time.Since(asked) >= time.Second {
			verdict, asked = judge(), time.Now()
		}
		err := verdict
		mu.Unlock()
		switch {
		case err == nil:
			_, _ = w.Write([]byte("ok\n"))
		case isStranger(r):
			http.Error(w, "unwell: log in to see why", http.StatusServiceUnavailable)
		default:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}
}
