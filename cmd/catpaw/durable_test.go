package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"catpaw/agent"
)

// moodySink takes an event, refuses to for now, or hangs, as it likes.
type moodySink struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	calm    bool                 // takes everything
	ids     map[string]bool      // events taken
	twice   int                  // events taken again
	byAlert map[string][]arrived // in the order of arrival, each event once
}

type arrived struct {
	Status    string `json:"event_status"`
	Key       string `json:"alert_key"`
	ID        string `json:"id"`
	FirstFire int64  `json:"first_fire_time"`
	Count     int    `json:"notify_count"`
}

func newMoodySink(t *testing.T) *moodySink {
	s := &moodySink{t: t, ids: map[string]bool{}, byAlert: map[string][]arrived{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *moodySink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if !bytes.HasPrefix(body, []byte("[")) {
		body = fmt.Appendf(nil, "[%s]", body)
	}
	var events []arrived
	if err != nil || json.Unmarshal(body, &events) != nil {
		return // the agent was killed half-way
	}
	s.mu.Lock()
	mood := rand.IntN(4)
	if s.calm || mood > 1 {
		for _, event := range events {
			s.take(event)
		}
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	if mood == 1 {
		<-r.Context().Done()
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
}

func (s *moodySink) take(event arrived) {
	if s.ids[event.ID] {
		s.twice++
		return
	}
	s.ids[event.ID] = true
	s.byAlert[event.Key] = append(s.byAlert[event.Key], event)
}

func (s *moodySink) recovered() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, events := range s.byAlert {
		if events[len(events)-1].Status == "Ok" {
			n++
		}
	}
	return n
}

// kills is how often the test kills the agent; `make soak` asks for more.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("CATPAW_KILLS")); err == nil {
		return n
	}
	return 50
}

// TestKilledAtRandomMomentsItLosesNothing kills the real program again and again while it tells of five
// lasting alerts to a sink that takes, refuses and hangs. The count on each notification is kept in the
// same transaction as the event, so a sink that got 1, 2, 3 … to the recovery got everything.
func TestKilledAtRandomMomentsItLosesNothing(t *testing.T) {
	t.Parallel()
	killed(t, func() string { return "" })
}

// TestKilledWhileItSendsArraysItLosesNothing does the same with arrays of many alerts, whose size changes at every start and
// reload, as does the number of senders. They are so large that a sender has room for all that waits: else it may merge events of
// an alert that has failed.
func TestKilledWhileItSendsArraysItLosesNothing(t *testing.T) {
	t.Parallel()
	killed(t, func() string {
		return fmt.Sprintf("batch = %d\nconcurrency = %d\n", 500+rand.IntN(500), 1+rand.IntN(8))
	})
}

// killed runs the test with more options of the sink, asked for before each start and again for a reload.
func killed(t *testing.T, options func() string) {
	s := newMoodySink(t)
	const alerts = 5
	configure := func(dir string) {
		write(t, dir, map[string]string{"config.toml": fmt.Sprintf("[[outputs.webhook]]\nurl = %q\ntimeout = '200ms'\n%s", s.url, options())})
	}
	dir := confd(t, map[string]string{"config.toml": ""})
	says := filepath.Join(dir, "says")
	write(t, dir, map[string]string{
		"p.exec/a.toml": "interval = 0.1\n[[instances]]\ncommands = [['cat', '" + says + "']]\nalerting.repeat_interval = 0\n",
		"says":          fiveAlerts(alerts),
	})
	committed := map[string]bool{}
	moment := func() { time.Sleep(time.Duration(20+rand.IntN(300)) * time.Millisecond) }
	for i := range kills() {
		configure(dir)
		a := start(t, "-configs", dir)
		if i == 0 {
			a.waitLog("catpaw runs") // from now on there is something that could be lost
		}
		moment()
		if i%4 == 3 {
			configure(dir)
			a.signal(syscall.SIGHUP)
			moment()
		}
		a.cmd.Process.Kill()
		a.wait()
		if i%10 == 0 {
			note(t, dir, committed)
		}
	}
	write(t, dir, map[string]string{"says": "[]"})
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	a := start(t, "-configs", dir)
	for deadline := time.Now().Add(3 * patience); s.recovered() < alerts; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d alerts recovered; log:\n%s", s.recovered(), alerts, a.logged())
		}
	}
	a.signal(os.Interrupt)
	a.wait()
	s.judge(committed)
}

func fiveAlerts(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`{"event_status": "Warning", "labels": {"check": "c", "n": "%d"}, "description": "x"}`, i))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// note reads the ids that are committed and not yet delivered.
func note(t *testing.T, dir string, ids map[string]bool) {
	t.Helper()
	queues, closeThem, err := agent.OpenQueues(filepath.Join(filepath.Dir(dir), "state.d"), nil, true)
	if err != nil {
		t.Fatal(err)
	}
	defer closeThem()
	events, err := queues.Events("webhook", false, 0)
	if err != nil && !strings.Contains(err.Error(), "no queue") { // killed before the first event
		t.Fatal(err)
	}
	for _, queued := range events {
		var event arrived
		if err := json.Unmarshal(queued.Event, &event); err != nil {
			t.Fatal(err)
		}
		ids[event.ID] = true
	}
}

func (s *moodySink) judge(committed map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range committed {
		if !s.ids[id] {
			s.t.Errorf("event %s was committed and never came", id)
		}
	}
	total := 0
	for key, events := range s.byAlert {
		for i, event := range events {
			want := i + 1
			if event.Status == "Ok" {
				want = i // the recovery carries the count of what it ends
			}
			if event.Count != want || event.FirstFire != events[0].FirstFire {
				s.t.Fatalf("alert %s: event %d of %d is %+v", key, i+1, len(events), event)
			}
		}
		total += len(events)
	}
	s.t.Logf("%d kills: %d events, %d of them twice, %d seen waiting in the queue", kills(), total, s.twice, len(committed))
}

const inARow = "interval = 0.2\n[[instances]]\ncommands = [['cat', '%s']]\n[instances.alerting]\nrepeat_number = 1\n"

// TestARestartTellsNothingTwiceAndForgetsNothing stops the agent while an alert is open, and again when
// its check was removed.
func TestARestartTellsNothingTwiceAndForgetsNothing(t *testing.T) {
	t.Parallel()
	says := filepath.Join(t.TempDir(), "says")
	dir := confd(t, map[string]string{"config.toml": stdoutOnly, "p.exec/a.toml": fmt.Sprintf(inARow, says)})
	write(t, filepath.Dir(says), map[string]string{"says": fiveAlerts(1)})
	a := start(t, "-configs", dir)
	first := a.event()
	a.signal(os.Interrupt)
	a.wait()

	a = start(t, "-configs", dir)
	a.waitLog(`"open_alerts": 1`)
	write(t, filepath.Dir(says), map[string]string{"says": "[]"})
	if e := a.event(); e.Status != "Ok" || e.Key != first.Key || e.Count != 1 {
		t.Errorf("after the restart: %+v", e)
	}
	write(t, filepath.Dir(says), map[string]string{"says": fiveAlerts(2)})
	a.event()
	a.event()
	a.signal(os.Interrupt)
	a.wait()

	write(t, dir, map[string]string{"p.exec/a.toml": "", "p.net/a.toml": "[[instances]]\n"})
	a = start(t, "-configs", dir)
	for range 2 {
		if e := a.event(); e.Status != "Ok" || !strings.Contains(e.Text, "removed from the configuration") {
			t.Errorf("of a removed check: %+v", e)
		}
	}
}

func TestASecondAgentOnTheSameStateIsRefused(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{"config.toml": stdoutOnly, "p.net/a.toml": "[[instances]]\n"})
	a := start(t, "-configs", dir)
	a.waitLog("catpaw runs")
	begun := time.Now()
	_, stderr, code := catpaw(t, "-configs", dir)
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "another catpaw runs on this state directory") {
		t.Errorf("exit %d after %v: %s", code, time.Since(begun), stderr)
	}
	other := start(t, "-configs", dir, "-state-dir", filepath.Join(t.TempDir(), "other"))
	other.waitLog("catpaw runs")
}

// TestTroubleWithTheDiskIsToldAndRecovers has a file where the state directory should be.
func TestTroubleWithTheDiskIsToldAndRecovers(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{"config.toml": stdoutOnly, "p.net/a.toml": "[[instances]]\n"})
	state := filepath.Join(filepath.Dir(dir), "state.d")
	write(t, filepath.Dir(dir), map[string]string{"state.d": ""})
	a := start(t, "-configs", dir)
	e := a.event()
	if e.Status != "Critical" || e.Labels["check"] != "catpaw state" || !strings.Contains(e.Text, "not a directory") {
		t.Errorf("told %+v", e)
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if e := a.event(); e.Status != "Ok" || e.Labels["check"] != "catpaw state" {
		t.Errorf("told %+v", e)
	}
	if _, err := os.Stat(filepath.Join(state, "catpaw.db")); err != nil {
		t.Error(err)
	}
}

// queueCommand runs catpaw queue and returns what it prints.
func queueCommand(t *testing.T, dir string, want int, args ...string) string {
	t.Helper()
	stdout, stderr, code := catpaw(t, append(append([]string{"queue"}, args...), "-configs", dir)...)
	if code != want {
		t.Fatalf("queue %v: exit %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout + stderr
}

// stuck runs an agent with two events for an output that refuses them and one that hangs, until the first
// has two dead letters and the second two events in its queue.
func stuck(t *testing.T) (a *program, dir string) {
	t.Helper()
	answer := func(do func(w http.ResponseWriter, r *http.Request)) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			do(w, r)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	refuses := answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	hangs := answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	says := filepath.Join(t.TempDir(), "says")
	write(t, filepath.Dir(says), map[string]string{"says": fiveAlerts(2)})
	dir = confd(t, map[string]string{
		"config.toml":   fmt.Sprintf("[[outputs.webhook]]\nname = 'refuses'\nurl = %q\n[[outputs.webhook]]\nname = 'hangs'\nurl = %q\n", refuses, hangs),
		"p.exec/a.toml": fmt.Sprintf(inARow, says),
	})
	a = start(t, "-configs", dir)
	a.waitLog("dead letter")
	for deadline := time.Now().Add(patience); strings.Count(queueCommand(t, dir, 0, "cat", "refuses", "--dead"), "\n") < 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never two dead letters\n%s", queueCommand(t, dir, 0))
		}
	}
	return a, dir
}

func TestQueuesCanBeSeenWithTheAgentRunningOrNot(t *testing.T) {
	t.Parallel()
	a, dir := stuck(t)
	look := func(where string) {
		t.Helper()
		if got := queueCommand(t, dir, 0); !strings.Contains(got, "hangs") || !strings.Contains(got, "refuses") {
			t.Errorf("%s: the list is\n%s", where, got)
		}
		if got := queueCommand(t, dir, 0, "cat", "hangs"); strings.Count(got, `"event_status":"Warning"`) != 2 {
			t.Errorf("%s: queued\n%s", where, got)
		}
		if got := queueCommand(t, dir, 0, "cat", "refuses", "--dead"); strings.Count(got, `"reason":"`) != 2 || !strings.Contains(got, "400") {
			t.Errorf("%s: dead\n%s", where, got)
		}
		if got := queueCommand(t, dir, 1, "cat", "nope"); !strings.Contains(got, `there is no queue "nope"; there are: hangs, refuses`) {
			t.Errorf("%s: %s", where, got)
		}
	}
	look("running")
	a.signal(os.Kill)
	a.wait()
	look("stopped")
}

// TestTheQueueOfARenamedOutputIsDrained has both outputs renamed to one that works.
func TestTheQueueOfARenamedOutputIsDrained(t *testing.T) {
	t.Parallel()
	a, dir := stuck(t)
	a.signal(os.Kill)
	a.wait()
	url, bodies := sink(t)
	write(t, dir, map[string]string{"config.toml": fmt.Sprintf("[[outputs.webhook]]\nname = 'works'\nurl = %q\n", url)})
	if stdout, _, code := catpaw(t, "check", "-configs", dir); code != 0 || strings.Count(stdout, "belongs to no output") != 2 {
		t.Errorf("check says\n%s", stdout)
	}
	a = start(t, "-configs", dir)
	a.waitLog(`the queue "hangs" belongs to no output`)
	if got := queueCommand(t, dir, 1, "redrive", "hangs"); !strings.Contains(got, "hangs has no dead letters, and no output sends its 2 queued events: name one that is to, with --to OUTPUT") {
		t.Error(got)
	}
	if got := queueCommand(t, dir, 0, "redrive", "works"); got != "works has no dead letters\n" {
		t.Error(got)
	}
	if got := queueCommand(t, dir, 0, "redrive", "hangs", "--to", "works"); got != "2 events put into the queue works\n" {
		t.Error(got)
	}
	if got := queueCommand(t, dir, 0, "redrive", "refuses", "--to", "works", "--json"); got != `{"events":2}`+"\n" {
		t.Error(got)
	}
	if got := queueCommand(t, dir, 0, "cat", "works", "--dead", "--json"); got != "" {
		t.Error(got)
	}
	if got := queueCommand(t, dir, 0, "purge", "works", "--dead", "--json"); got != `{"events":0}`+"\n" {
		t.Error(got)
	}
	for range 4 {
		if body := next(t, bodies); !strings.Contains(body, `"event_status":"Warning"`) {
			t.Error(body)
		}
	}
	if got := queueCommand(t, dir, 1, "purge", "hangs"); !strings.Contains(got, "there is no queue") { // drained, it is forgotten
		t.Error(got)
	}
	if got := queueCommand(t, dir, 0, "--json"); strings.Contains(got, "hangs") || !strings.Contains(got, `"name":"works"`) {
		t.Error(got)
	}
}

func TestSendTriesTheRealOutputs(t *testing.T) {
	t.Parallel()
	url, bodies := sink(t)
	main := fmt.Sprintf("[[outputs.webhook]]\nurl = %q\n[[outputs.flashduty]]\nurl = 'http://%s'\n", url, freeAddress(t))
	dir := confd(t, map[string]string{"config.toml": main, "p.net/a.toml": "[[instances]]\n"})
	stdout, stderr, code := catpaw(t, "send", "-configs", dir)
	if code != 1 || stdout != "" || strings.Count(stderr, "delivered") != 2 || !strings.Contains(stderr, "failed: ") || !strings.Contains(stderr, "refused") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	for _, status := range []string{"Info", "Ok"} {
		if body := next(t, bodies); !strings.Contains(body, `"event_status":"`+status+`"`) {
			t.Error(body)
		}
	}
	if _, _, code := catpaw(t, "send", "--output", "webhook", "-configs", dir); code != 0 {
		t.Errorf("exit %d", code)
	}
	if _, stderr, code := catpaw(t, "send", "--output", "nope", "-configs", dir); code != 1 || !strings.Contains(stderr, `no output "nope"`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestAFileThatMayNotGrow runs the agent under `ulimit -f`, which is a full disk for one process.
func TestAFileThatMayNotGrow(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{"config.toml": stdoutOnly})
	says := filepath.Join(filepath.Dir(dir), "says")
	long := strings.Repeat("x", 1500)
	write(t, dir, map[string]string{"p.exec/a.toml": fmt.Sprintf("interval = 0.1\n[[instances]]\ncommands = [['cat', '%s']]\nalerting.repeat_interval = 0\n", says)})
	write(t, filepath.Dir(dir), map[string]string{"says": `[{"event_status":"Info","labels":{"check":"c"},"description":"x"}]`})
	a := startCommand(t, exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 300; exec "$0" -configs "$1"`, os.Args[0], dir))
	a.event()
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf(`{"event_status":"Warning","labels":{"check":"c","n":"%d"},"description":"%s"}`, i, long))
	}
	write(t, filepath.Dir(dir), map[string]string{"says": "[" + strings.Join(many, ",") + "]"})
	for told := false; !told; {
		e := a.event()
		told = e.Labels["check"] == "catpaw state" && e.Status == "Critical" && strings.Contains(e.Text, "ulimit -f")
	}
	before := a.event().Count // and the checks go on
	for a.event().Count <= before {
	}
	a.signal(os.Interrupt)
	a.wait()
}
