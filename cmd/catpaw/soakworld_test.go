//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A soak's world: sinks whose mood changes, targets that come and go, and a script whose events change.

// soakChecks are how the 1,000 checks divide. Those each second change often, so that there is something to tell all the
// time; they keep the default against flapping, the others tell every edge.
var soakChecks = []struct {
	file, options string
	count         int
	instance      func(w *soakWorld, n int) string
}{
	{"p.net/steady.toml", "interval = 10\n", 800, (*soakWorld).steadyTarget},
	{"p.net/slow.toml", "interval = 10\n", 60, (*soakWorld).edgyTarget},
	{"p.net/fast.toml", "interval = 1\n", 40, (*soakWorld).goingTarget},
	{"p.exec/slow.toml", "interval = 10\n", 90, (*soakWorld).edgyScript},
	{"p.exec/fast.toml", "interval = 1\n", 10, (*soakWorld).script},
}

// soakWorld is all that the agent sees.
type soakWorld struct {
	steady, going string // addresses
	says, calm    string // the script, and the file that makes it print nothing any more
}

func (w *soakWorld) steadyTarget(n int) string { return targetOf(w.steady, n) }
func (w *soakWorld) goingTarget(n int) string  { return targetOf(w.going, n) }

func targetOf(address string, n int) string {
	return fmt.Sprintf("targets = [%q]\nlabels.n = '%d'\n", address, n)
}

func (w *soakWorld) script(n int) string {
	return fmt.Sprintf("commands = [['sh', %q, '%d', %q]]\nlabels.n = '%d'\n", w.says, n, w.calm, n)
}

const everyEdge = "alerting.flap_window = 0\n"

func (w *soakWorld) edgyTarget(n int) string { return w.goingTarget(100+n) + everyEdge }
func (w *soakWorld) edgyScript(n int) string { return w.script(100+n) + everyEdge }

// saysScript prints two events, each in turn Ok, Info, Critical and absent, for five seconds. It starts no other program.
// The events of script 0 are poison.
const saysScript = `[ -e "$2" ] && exit
read -r up rest </proc/uptime
of=$1
[ "$of" = 0 ] && of=poison
list= ; sep=
for n in 0 2; do
	case $(((${up%.*} / 5 + $1 + n) % 4)) in
	0) status=Ok ;;
	1) status=Info ;;
	2) status=Critical ;;
	*) continue ;;
	esac
	list="$list$sep{\"event_status\":\"$status\",\"labels\":{\"check\":\"soak\",\"of\":\"$of\",\"event\":\"$n\"},\"description\":\"says $status\"}"
	sep=,
done
echo "[$list]"
`

// files are the configuration of all checks.
func (w *soakWorld) files() map[string]string {
	files := map[string]string{}
	for _, group := range soakChecks {
		var text strings.Builder
		text.WriteString(group.options)
		for n := range group.count {
			text.WriteString("[[instances]]\n" + group.instance(w, n))
		}
		files[group.file] = text.String()
	}
	return files
}

// comeAndGo listens and does not, in turn, until over is closed; then it listens for good. The address is not 127.0.0.1:
// a connection of somebody else's could take its port meanwhile.
func comeAndGo(t *testing.T, turn time.Duration, over <-chan struct{}) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	go func() {
		for here := true; ; here = !here {
			if here {
				go hangUp(listener)
			} else {
				listener.Close()
			}
			select {
			case <-time.After(turn):
			case <-over:
				if here {
					return
				}
			}
			if !here {
				if listener, err = net.Listen("tcp", address); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	return address
}

func hangUp(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conn.Close()
	}
}

// flappingSink is well half of the time.
type flappingSink struct {
	url   string
	began time.Time
	turn  time.Duration // of a mood
	calm  atomic.Bool   // well for good

	mu      sync.Mutex
	taken   map[string]bool // ids
	refused map[string]bool // likewise, for good
	twice   int             // taken again
}

func newFlappingSink(t *testing.T, turn time.Duration, phase int) *flappingSink {
	s := &flappingSink{turn: turn, began: time.Now().Add(-time.Duration(phase) * turn), taken: map[string]bool{}, refused: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// soakMoods follow one another; nil is well.
var soakMoods = []http.HandlerFunc{nil, nil, overloaded, nil, nil, silent, nil, nil, gone, nil, nil, busy}

func overloaded(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
func silent(_ http.ResponseWriter, r *http.Request)     { <-r.Context().Done() }
func gone(http.ResponseWriter, *http.Request)           { panic(http.ErrAbortHandler) }
func busy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "2")
	w.WriteHeader(http.StatusTooManyRequests)
}

func (s *flappingSink) mood() http.HandlerFunc {
	if s.calm.Load() {
		return nil
	}
	return soakMoods[int(time.Since(s.began)/s.turn)%len(soakMoods)]
}

func (s *flappingSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if mood := s.mood(); mood != nil {
		mood(w, r)
		return
	}
	if !s.note(body) {
		w.WriteHeader(http.StatusBadRequest)
	}
}

// note takes the events of a body, which is one or an array, unless there is poison among them.
func (s *flappingSink) note(body []byte) (taken bool) {
	if !bytes.HasPrefix(body, []byte("[")) {
		body = append(append([]byte("["), body...), ']')
	}
	var events []arrived
	if json.Unmarshal(body, &events) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch poison := bytes.Contains(body, []byte(`"poison"`)); {
	case poison && len(events) == 1: // the guilty one, and not those that were sent with it
		s.refused[events[0].ID] = true
		return false
	case poison:
		return false
	}
	for _, event := range events {
		if s.taken[event.ID] {
			s.twice++
		}
		s.taken[event.ID] = true
	}
	return true
}

func (s *flappingSink) seen() (taken, refused uint64, twice int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.taken)), uint64(len(s.refused)), s.twice
}
