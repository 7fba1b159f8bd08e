//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"catpaw/agent/api"
	"catpaw/internal/measure"
)

// TestSoak runs the real program for as long as CATPAW_SOAK says, with 1,000 checks of which many change all the time and
// two sinks that flap. What it holds must not grow, and in the end every event must be accounted for.
func TestSoak(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("CATPAW_SOAK"))
	if err != nil {
		t.Skipf("it takes long: make soak says for how long in CATPAW_SOAK (%v)", err)
	}
	s := newSoak(t, lasts)
	s.judge(s.watch(lasts))
	s.rest()
	s.account(true)
	s.stop()
	s.account(false)
}

// soak is the agent and its world.
type soak struct {
	t     *testing.T
	world *soakWorld
	sinks map[string]*flappingSink // by output
	over  chan struct{}            // closed: the targets are well for good
	dir   string
	a     *program
}

func newSoak(t *testing.T, lasts time.Duration) *soak {
	turn := min(max(lasts/100, 2*time.Second), 10*time.Second) // several rounds of all moods in each quarter
	dir := filepath.Join(t.TempDir(), "conf.d")
	s := &soak{t: t, dir: dir, over: make(chan struct{}), sinks: map[string]*flappingSink{
		"each": newFlappingSink(t, turn, 0), "batches": newFlappingSink(t, turn, len(soakMoods)/2),
	}}
	steady, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { steady.Close() })
	go hangUp(steady)
	s.world = &soakWorld{
		steady: steady.Addr().String(), going: comeAndGo(t, 7*time.Second, s.over),
		says: filepath.Join(t.TempDir(), "says"), calm: filepath.Join(t.TempDir(), "calm"),
	}
	write(t, filepath.Dir(s.world.says), map[string]string{"says": saysScript})
	write(t, dir, s.world.files())
	write(t, dir, map[string]string{"config.toml": fmt.Sprintf(
		"[[outputs.webhook]]\nname = 'each'\nurl = %q\ntimeout = '1s'\n[[outputs.webhook]]\nname = 'batches'\nurl = %q\ntimeout = '1s'\nbatch = 50\n",
		s.sinks["each"].url, s.sinks["batches"].url)})
	s.a = startCommand(t, exec.CommandContext(t.Context(), binaryOf(t), "-configs", dir, "-loglevel", "error"))
	until(t, s.answers)
	return s
}

// holds is what the agent holds at one moment, and by how much it may differ: a share, and so much more.
var holds = []struct {
	what        string
	share, more float64
	now         func(s *soak) float64
}{
	{"MiB resident", 0.15, 2, func(s *soak) float64 { return measure.Resident(s.t, s.a.cmd.Process.Pid) }},
	{"files", 0, 10, func(s *soak) float64 { return atRest(s.t, s.a.cmd.Process.Pid)["files"] }},
	{"goroutines", 0, 20, func(s *soak) float64 { return goroutines(s.t, s.dir) }},
	{"MiB of store", 0.25, 1, (*soak).store},
}

func (s *soak) answers() bool {
	client, _ := api.Reach(s.state())
	if client != nil {
		client.Close()
	}
	return client != nil
}

func (s *soak) state() string { return filepath.Join(filepath.Dir(s.dir), "state.d") }

func (s *soak) store() float64 {
	info, err := os.Stat(filepath.Join(s.state(), "catpaw.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}

// quarters are the figures of holds by the quarter of the time in which they were taken.
type quarters [4][][]float64

func (s *soak) watch(lasts time.Duration) (seen quarters) {
	pause := min(max(lasts/200, time.Second), 5*time.Second)
	for i := range seen {
		seen[i] = make([][]float64, len(holds))
	}
	for begun := time.Now(); ; time.Sleep(pause) {
		quarter := int(4 * time.Since(begun) / lasts)
		if quarter >= len(seen) {
			return seen
		}
		for i, h := range holds {
			seen[quarter][i] = append(seen[quarter][i], h.now(s))
		}
		select {
		case err := <-s.a.ended:
			s.t.Fatalf("the agent ended: %v; log:\n%s", err, s.a.logged())
		default:
		}
	}
}

// judge compares the second quarter with the last; the first one is for warming up.
func (s *soak) judge(seen quarters) {
	for i, h := range holds {
		var medians [4]float64
		for quarter := range seen {
			medians[quarter] = measure.Median(seen[quarter][i])
		}
		s.t.Logf("%-12s %6.1f by quarters, %d looks", h.what, medians, len(seen[0][i]))
		if early, late := medians[1], medians[3]; math.Abs(late-early) > early*h.share+h.more {
			s.t.Errorf("%s: from %.1f to %.1f", h.what, early, late)
		}
	}
}

// rest makes all well, and waits until nothing is queued and nothing more has come for longer than the rarest check.
func (s *soak) rest() {
	s.t.Helper()
	close(s.over)
	write(s.t, filepath.Dir(s.world.calm), map[string]string{"calm": ""})
	for _, sink := range s.sinks {
		sink.calm.Store(true)
	}
	const quiet = 25 * time.Second
	var accepted uint64
	since := time.Now()
	for deadline := since.Add(5 * time.Minute); time.Since(since) < quiet; time.Sleep(time.Second) {
		var now uint64
		queued := 0
		for _, q := range s.queues() {
			now += q.Counts.Accepted
			queued += q.Queued
		}
		if now != accepted || queued > 0 {
			accepted, since = now, time.Now()
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the queues are not drained:\n%s", queueCommand(s.t, s.dir, 0))
		}
	}
}

// stop ends the agent. It waits for all that runs in it, and for senders up to five seconds; nothing is queued, so one that
// takes so long has a goroutine that does not end.
func (s *soak) stop() {
	s.t.Helper()
	begun := time.Now()
	s.a.signal(syscall.SIGTERM)
	err := s.a.wait()
	took := time.Since(begun)
	s.t.Logf("it ended within %v", took.Round(time.Millisecond))
	for line := range strings.Lines(s.a.logged()) {
		if !strings.Contains(line, "it is kept as a dead letter") { // as is meant
			s.t.Log("it logged: " + line)
		}
	}
	if err != nil || took > 4*time.Second {
		s.t.Errorf("the agent ends after %v with %v", took, err)
	}
}

// queues is what catpaw queue says.
func (s *soak) queues() (all []api.QueueStatus) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(queueCommand(s.t, s.dir, 0, "--json")), &all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// account wants every event to have come to an end, and the sinks to have seen what the queues say of them. What is queued is
// the rest of the other counts, so none may be: the sum alone proves nothing.
func (s *soak) account(running bool) {
	s.t.Helper()
	all := s.queues()
	if len(all) != len(s.sinks) {
		s.t.Fatalf("%d queues", len(all))
	}
	for _, q := range all {
		c, sink := q.Counts, s.sinks[q.Name]
		taken, refused, twice := sink.seen()
		s.t.Logf("%-8s running %v: %+v, queued %d; the sink took %d, %d times one again, and refused %d", q.Name, running, c, q.Queued, taken, twice, refused)
		if ended := c.Delivered + c.Dead + c.Merged + c.Lost + c.Purged + uint64(q.Queued); ended != c.Accepted || q.Queued > 0 || q.Bytes > 0 {
			s.t.Errorf("%s: %d accepted, of %d it is known what became of them, %d are queued, of %d bytes", q.Name, c.Accepted, ended, q.Queued, q.Bytes)
		}
		if c.Lost > 0 || c.Purged > 0 || taken < c.Delivered || refused < c.Dead {
			s.t.Errorf("%s: lost or purged; or delivered, and not taken; or a dead letter, and not refused", q.Name)
		}
		if c.Delivered == 0 || c.Dead == 0 {
			s.t.Errorf("%s: the soak told nothing, or nothing was refused", q.Name)
		}
	}
}
