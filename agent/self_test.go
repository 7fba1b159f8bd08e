package agent

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"catpaw/pipeline"
	"catpaw/store"
)

func TestAnOutputThatFailsForLongIsTold(t *testing.T) {
	t.Parallel()
	const bad, ok, unknown = pipeline.Bad, pipeline.Ok, pipeline.Unknown
	const refuses = true
	now := time.Now()
	for _, c := range []struct {
		name    string
		good    bool          // it delivered before, since the agent runs
		since   time.Duration // 0 = it does not fail
		oldest  time.Duration // age of the oldest event that waits; 0 = none does
		refuses bool
		dead    int // letters
		status  pipeline.Status
		says    string
	}{
		{"it takes what it gets", true, 0, 0, !refuses, 0, ok, ""},
		{"it takes what it gets, and is busy", true, 0, 10 * time.Minute, !refuses, 0, ok, ""},
		{"nothing was tried yet, and nothing is left", false, 0, 0, !refuses, 0, ok, ""},
		{"nothing was tried yet, and dead letters are left", false, 0, 0, !refuses, 3, unknown, ""},
		{"it has yet to try what waits", false, 0, time.Hour, !refuses, 0, unknown, ""},
		{"it fails for a while", true, 4 * time.Minute, 4 * time.Minute, !refuses, 0, unknown, ""},
		{"it fails for a while, in the middle of what is old", true, time.Minute, time.Hour, !refuses, 0, unknown, ""},
		{"it fails for long", true, 5 * time.Minute, 5 * time.Minute, !refuses, 0, bad, "400"},
		{"it never worked", false, 5 * time.Minute, 5 * time.Minute, !refuses, 0, bad, "400"},
		{"the agent was restarted a minute ago, and before it failed as well", false, time.Minute, 6 * time.Minute, !refuses, 0, bad, now.Add(-6 * time.Minute).Format(time.DateTime)},
		{"it refuses all for a while", true, time.Minute, 0, refuses, 0, unknown, ""},
		{"it refuses all for long", true, 5 * time.Minute, 0, refuses, 0, bad, "the sink refused the last 2 events for good: 400"},
		{"what it refuses can be seen", true, 5 * time.Minute, 0, refuses, 2, bad, "catpaw queue cat 'pager' --dead"},
	} {
		h, q := pipeline.Health{LastError: "400", Refuses: c.refuses, RefusedRow: 2}, store.QueueInfo{Name: "pager", Held: c.dead}
		if c.good {
			h.LastSuccess = now.Add(-time.Hour)
		}
		if c.since > 0 {
			h.FailsSince = now.Add(-c.since)
		}
		if c.oldest > 0 {
			q.Oldest, q.Queued = now.Add(-c.oldest).Unix(), 1
		}
		if e := outputEvent(q, h, now); e.Status != c.status || !strings.Contains(e.Description, c.says) {
			t.Errorf("%s: %+v", c.name, e)
		} else if c.dead == 0 && strings.Contains(e.Description, "--dead") {
			t.Errorf("%s: it points to dead letters, and there are none: %s", c.name, e.Description)
		}
	}
}

func TestTroubleWithTheDiskIsToldUntilItStaysAway(t *testing.T) {
	t.Parallel()
	now := time.Now()
	full := &store.Trouble{Text: "the disk is full", Since: now.Add(-time.Minute)}
	often := &store.Trouble{Text: "the disk is full", Since: now.Add(-time.Minute), Times: 86}
	aside := func(ago time.Duration) *store.Trouble { return &store.Trouble{Text: "damaged", Since: now.Add(-ago)} }
	for _, c := range []struct {
		name                         string
		trouble, recurring, replaced *store.Trouble
		status                       pipeline.Status
		says                         string
	}{
		{"all is on disk", nil, nil, nil, pipeline.Ok, "on disk"},
		{"there is trouble", full, nil, nil, pipeline.Bad, "the disk is full"},
		{"it comes and goes, and is away just now", nil, often, nil, pipeline.Bad, "again and again, 86 times since"},
		{"it comes and goes, and is there", full, often, nil, pipeline.Bad, "again and again, 86 times since"},
		{"a file was put aside", nil, nil, aside(time.Minute), pipeline.Bad, "damaged"},
		{"a file was put aside long ago", nil, nil, aside(time.Hour), pipeline.Ok, "on disk"},
	} {
		if e := stateEvent("state.d", c.trouble, c.recurring, c.replaced, now); e.Status != c.status || !strings.Contains(e.Description, c.says) {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

// checks plays the checks that run.
type checks []pipeline.CheckHealth

func (c *checks) Checks() []pipeline.CheckHealth   { return *c }
func (*checks) Health() map[string]pipeline.Health { return nil }

func TestAChecksThatSkipsTicksIsToldUntilItIsInTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	all := &checks{{ID: "exec/1", Interval: 1}, {ID: "exec/2", Interval: 60}}
	s := &self{running: all, late: map[string]*late{}}
	for i, step := range []struct {
		after   time.Duration
		skipped int // by exec/1, in all
		want    string
	}{
		{0, 0, ""}, {10 * time.Second, 2, ""}, {10 * time.Second, 3, "Warning"}, {10 * time.Second, 9, "Warning"},
		{4 * time.Minute, 9, "Warning"}, {2 * time.Minute, 9, "Ok"}, {time.Second, 9, ""},
		{time.Hour, 11, ""}, {time.Hour, 12, ""}, // one now and then
		{time.Second, 20, "Warning"}, {time.Second, 0, "Ok"}, {time.Second, 2, ""}, // a reload counts anew
	} {
		now = now.Add(step.after)
		(*all)[0].Skipped = step.skipped
		var got []string
		for _, e := range s.lateness(now) {
			got = append(got, e.Status.String())
		}
		if text := strings.Join(got, " "); text != step.want {
			t.Errorf("step %d: told %q, want %q", i+1, text, step.want)
		}
	}
}

// TestLateChecksAreKnownAfterARestart: their alerts neither end nor begin with it.
func TestLateChecksAreKnownAfterARestart(t *testing.T) {
	t.Parallel()
	c := &Configuration{StateDir: t.TempDir()}
	kept, _, err := store.Open(store.Config{Dir: c.StateDir, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	all := &checks{{ID: "exec/1", Interval: 1, Skipped: 5}, {ID: "exec/2", Interval: 1, Skipped: 1}}
	look := func(check *pipeline.Check, memo []byte) (late string, after []byte) {
		events, _, after, err := pipeline.LookAgain(t.Context(), check, memo)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Labels.Get("check") == "catpaw check skips ticks" {
				late += e.Labels.Get("instance") + ":" + e.Status.String() + " "
			}
		}
		return late, after
	}
	start := func() *pipeline.Check { return selfCheck(kept, all, &vitals{}, c) }
	late, memo := look(start(), nil)
	if late != "exec/1:Warning " {
		t.Fatalf("late are %s", late)
	}
	*all = checks{{ID: "exec/1", Interval: 1}, {ID: "exec/2", Interval: 1}}
	for _, before := range [][]byte{memo, []byte("{spoilt")} {
		late, _ := look(start(), before)
		if want := map[bool]string{true: "exec/1:Warning ", false: ""}[before[0] == '[']; late != want {
			t.Errorf("with %s, late are %q, want %q", before, late, want)
		}
	}
}

func TestWhatHappensToTheClocks(t *testing.T) {
	t.Parallel()
	base := clocks{wall: time.Unix(1_700_000_000, 0), steady: time.Hour, boot: 48 * time.Hour}
	after := func(wall, steady, boot time.Duration) clocks {
		return clocks{base.wall.Add(wall), base.steady + steady, base.boot + boot}
	}
	const ten, hour = 10 * time.Second, time.Hour
	for _, c := range []struct {
		name string
		now  clocks
		want string
	}{
		{"nothing", after(ten, ten, ten), ""},
		{"a little drift", after(ten+2*time.Second, ten, ten), ""},
		{"a slow look", after(hour, hour, hour), ""},
		{"sleep", after(hour, ten, hour), "the machine slept for 59m50s"},
		{"set back", after(ten-hour, ten, ten), "the clock was set back by 1h0m0s"},
		{"set forward", after(ten+hour, ten, ten), "the clock was set forward by 1h0m0s"},
		{"both", after(2*hour, ten, hour), "the machine slept for 59m50s, and the clock was set forward by 1h0m0s"},
	} {
		if got := difference(base, c.now); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	base.boot = 0
	if got := difference(base, clocks{base.wall.Add(hour), base.steady + ten, 0}); got != "the clock was set forward by 59m50s, or the machine slept so long" {
		t.Error(got)
	}
}

func TestALeapIsToldForAWhile(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	reading := clocks{wall: now, steady: time.Second, boot: time.Second}
	w := clockWatch{read: func() clocks { return reading }}
	look := func(wall, rest time.Duration) pipeline.Status {
		reading.wall, reading.steady, reading.boot = reading.wall.Add(wall), reading.steady+rest, reading.boot+rest
		now = now.Add(rest)
		return w.look(now).Status
	}
	for i, step := range []struct {
		wall, rest time.Duration
		want       pipeline.Status
	}{{0, 0, pipeline.Ok}, {10 * time.Second, 10 * time.Second, pipeline.Ok}, {time.Hour, 10 * time.Second, pipeline.Warning},
		{10 * time.Second, 10 * time.Second, pipeline.Warning}, {time.Minute, time.Minute, pipeline.Ok}} {
		if got := look(step.wall, step.rest); got != step.want {
			t.Errorf("look %d: %v, want %v", i+1, got, step.want)
		}
	}
}
