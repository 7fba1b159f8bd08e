package alerting

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

var epoch = time.Unix(1_700_000_000, 0)

// point is one result at a moment, and what should come of it.
type point struct {
	at    time.Duration
	sees  string // W, C, I, ok, ? (unknown); a leading ! means that nobody looked before it, a leading - that it is muted
	want  Decision
	phase Phase
}

func observation(p point) Observation {
	o := Observation{Now: epoch.Add(p.at), Time: epoch.Add(p.at).Unix()}
	text := p.sees
	switch text[0] {
	case '!':
		o.Unseen, text = true, text[1:]
	case '-':
		o.Muted, text = true, text[1:]
	}
	o.Status = map[string]pipeline.Status{
		"I": pipeline.Info, "W": pipeline.Warning, "C": pipeline.Critical, "ok": pipeline.Ok, "?": pipeline.Unknown,
	}[text]
	return o
}

func policy(change func(*pipeline.Policy)) pipeline.Policy {
	p := pipeline.DefaultPolicy()
	p.RepeatInterval, p.FlapWindow = config.Duration(10*time.Second), 0
	if change != nil {
		change(&p)
	}
	return p
}

func seconds(n float64) config.Duration { return config.Duration(n * float64(time.Second)) }

const s = time.Second

func TestTheLifeOfAnAlert(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy func(*pipeline.Policy)
		story  []point
	}{
		"nothing wrong, nothing told": {nil, []point{{0, "ok", Silent, None}, {1 * s, "?", Silent, None}}},
		"the first bad result is told at once": {nil, []point{
			{0, "W", Fire, Firing}, {1 * s, "ok", Recover, None}, {2 * s, "ok", Silent, None}}},
		"repeats keep their distance": {nil, []point{
			{0, "W", Fire, Firing}, {9 * s, "W", Silent, Firing}, {10 * s, "W", Repeat, Firing}, {19 * s, "W", Silent, Firing}, {20 * s, "W", Repeat, Firing}}},
		"repeat_interval 0 repeats at every check": {func(p *pipeline.Policy) { p.RepeatInterval = 0 }, []point{
			{0, "W", Fire, Firing}, {1 * s, "W", Repeat, Firing}, {1 * s, "W", Repeat, Firing}}},
		"repeat_number counts the first one in": {func(p *pipeline.Policy) { p.RepeatNumber = 2 }, []point{
			{0, "W", Fire, Firing}, {10 * s, "W", Repeat, Firing}, {20 * s, "W", Silent, Firing}, {30 * s, "ok", Recover, None}, {40 * s, "W", Fire, Firing}}},
		"a rise is told at once, and the count starts again": {func(p *pipeline.Policy) { p.RepeatNumber = 1 }, []point{
			{0, "I", Fire, Firing}, {1 * s, "C", Rise, Firing}, {2 * s, "C", Silent, Firing}, {30 * s, "C", Silent, Firing}}},
		"a rise back to what was told already is no news": {nil, []point{
			{0, "C", Fire, Firing}, {1 * s, "W", Silent, Firing}, {2 * s, "C", Silent, Firing}}},
		"a rise after a told fall is news": {nil, []point{
			{0, "C", Fire, Firing}, {10 * s, "W", Repeat, Firing}, {11 * s, "C", Rise, Firing}}},
		"swinging between severities does not defeat repeat_number": {func(p *pipeline.Policy) { p.RepeatNumber, p.RepeatInterval = 2, 0 }, []point{
			{0, "W", Fire, Firing}, {1 * s, "C", Rise, Firing}, {2 * s, "W", Repeat, Firing}, {3 * s, "C", Rise, Firing},
			{4 * s, "W", Silent, Firing}, {5 * s, "C", Silent, Firing}, {6 * s, "W", Silent, Firing}, {7 * s, "C", Silent, Firing}}},
		"for_duration waits": {func(p *pipeline.Policy) { p.ForDuration = seconds(10) }, []point{
			{0, "W", Silent, Pending}, {5 * s, "W", Silent, Pending}, {10 * s, "W", Fire, Firing}}},
		"a good result while pending forgets": {func(p *pipeline.Policy) { p.ForDuration = seconds(10) }, []point{
			{0, "W", Silent, Pending}, {9 * s, "ok", Silent, None}, {10 * s, "W", Silent, Pending}, {19 * s, "W", Silent, Pending}, {20 * s, "W", Fire, Firing}}},
		"for_duration is not satisfied by time when nobody looked": {func(p *pipeline.Policy) { p.ForDuration = seconds(10) }, []point{
			{0, "W", Silent, Pending}, {100 * s, "!W", Silent, Pending}, {105 * s, "W", Silent, Pending}, {110 * s, "W", Fire, Firing}}},
		"unknown stops the clock of a pending alert": {func(p *pipeline.Policy) { p.ForDuration = seconds(10) }, []point{
			{0, "W", Silent, Pending}, {5 * s, "W", Silent, Pending}, {6 * s, "?", Silent, Pending}, {60 * s, "W", Silent, Pending}, {64 * s, "W", Silent, Pending}, {65 * s, "W", Fire, Firing}}},
		"unknown changes nothing about a firing alert": {nil, []point{
			{0, "W", Fire, Firing}, {20 * s, "?", Silent, Firing}, {21 * s, "W", Repeat, Firing}, {22 * s, "ok", Recover, None}}},
		"for_checks counts results in a row": {func(p *pipeline.Policy) { p.ForChecks = 3 }, []point{
			{0, "W", Silent, Pending}, {1 * s, "W", Silent, Pending}, {2 * s, "?", Silent, Pending}, {3 * s, "C", Fire, Firing}}},
		"for_duration and for_checks must both be met": {func(p *pipeline.Policy) { p.ForChecks, p.ForDuration = 3, seconds(1) }, []point{
			{0, "W", Silent, Pending}, {5 * s, "W", Silent, Pending}, {6 * s, "W", Fire, Firing}}},
		"recover_checks wants good results in a row": {func(p *pipeline.Policy) { p.RecoverChecks = 2 }, []point{
			{0, "W", Fire, Firing}, {1 * s, "ok", Silent, Firing}, {2 * s, "W", Silent, Firing}, {3 * s, "ok", Silent, Firing}, {4 * s, "ok", Recover, None}}},
		"no recovery where none is wanted": {func(p *pipeline.Policy) { p.RecoveryNotification = false }, []point{
			{0, "W", Fire, Firing}, {1 * s, "ok", Silent, None}}},
		"a clock that jumps back does not count": {func(p *pipeline.Policy) { p.ForDuration = seconds(10) }, []point{
			{100 * s, "W", Silent, Pending}, {0, "W", Silent, Pending}, {10 * s, "W", Fire, Firing}}},
		"a flapping check is not told at every edge": {func(p *pipeline.Policy) { p.RepeatNumber, p.FlapWindow = 1, seconds(60) }, []point{
			{0, "W", Fire, Firing}, {1 * s, "ok", Recover, Recovered}, {2 * s, "W", Fire, Firing}, {3 * s, "ok", Silent, Firing},
			{4 * s, "W", Silent, Firing}, {5 * s, "ok", Silent, Firing}, {6 * s, "W", Silent, Firing}, {7 * s, "ok", Silent, Firing},
			{8 * s, "ok", Recover, Recovered}, {9 * s, "W", Fire, Firing}, {10 * s, "ok", Silent, Firing}, {11 * s, "ok", Silent, Firing},
			{12 * s, "ok", Silent, Firing}, {13 * s, "ok", Recover, Recovered}, {75 * s, "ok", Silent, None}}},
		"what begins muted is told when it is muted no longer": {nil, []point{
			{0, "-W", Silent, Firing}, {20 * s, "-W", Silent, Firing}, {21 * s, "W", Fire, Firing}, {22 * s, "ok", Recover, None}}},
		"what began and ended muted was never told":      {nil, []point{{0, "-W", Silent, Firing}, {1 * s, "ok", Silent, None}}},
		"the end of what was told is told, muted or not": {nil, []point{{0, "W", Fire, Firing}, {20 * s, "-W", Silent, Firing}, {21 * s, "-ok", Recover, None}}},
		"a rise while muted is told then":                {nil, []point{{0, "W", Fire, Firing}, {1 * s, "-C", Silent, Firing}, {2 * s, "C", Rise, Firing}}},
		"for_duration goes on while muted": {func(p *pipeline.Policy) { p.ForDuration = seconds(10) }, []point{
			{0, "-W", Silent, Pending}, {5 * s, "-W", Silent, Pending}, {10 * s, "-W", Silent, Firing}, {11 * s, "W", Fire, Firing}}},
		"long after its recovery an alert is no flap": {func(p *pipeline.Policy) { p.FlapWindow = seconds(60) }, []point{
			{0, "W", Fire, Firing}, {1 * s, "ok", Recover, Recovered}, {100 * s, "W", Fire, Firing}, {101 * s, "ok", Recover, Recovered}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a Alert
			for _, step := range c.story {
				var decision Decision
				a, decision = a.Step(observation(step), policy(c.policy))
				if decision != step.want || a.Phase != step.phase {
					t.Fatalf("at %v, seeing %s: %v and %v, want %v and %v", step.at, step.sees, decision, a.Phase, step.want, step.phase)
				}
			}
		})
	}
}

func TestFlapsAreCountedUpTo255(t *testing.T) {
	t.Parallel()
	p := policy(func(p *pipeline.Policy) { p.FlapWindow = seconds(60) })
	for before, want := range map[uint8]uint8{0: 1, 254: 255, 255: 255} {
		a, _ := Alert{Phase: Recovered, At: epoch, Flaps: before}.Step(observation(point{at: s, sees: "W"}), p)
		if a.Phase != Firing || a.Flaps != want {
			t.Errorf("%v with %d flaps, want %d", a.Phase, a.Flaps, want)
		}
	}
}

// TestInvariants takes random steps and holds what must always be true.
func TestInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := pipeline.DefaultPolicy()
		p.ForDuration = seconds(float64(rapid.IntRange(0, 5).Draw(t, "for_duration")))
		p.ForChecks = rapid.IntRange(0, 3).Draw(t, "for_checks")
		p.RepeatInterval = seconds(float64(rapid.IntRange(0, 5).Draw(t, "repeat_interval")))
		p.RepeatNumber = rapid.IntRange(0, 3).Draw(t, "repeat_number")
		p.RecoverChecks = rapid.IntRange(0, 3).Draw(t, "recover_checks")
		p.FlapWindow = seconds(float64(rapid.IntRange(0, 20).Draw(t, "flap_window")))
		var a Alert
		open, sent, now := false, 0, epoch
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "gap")) * time.Second)
			status := rapid.SampledFrom([]pipeline.Status{pipeline.Ok, pipeline.Unknown, pipeline.Info, pipeline.Warning, pipeline.Critical}).Draw(t, "status")
			before := a
			var d Decision
			muted := rapid.Bool().Draw(t, "muted")
			a, d = a.Step(Observation{Status: status, Now: now, Time: now.Unix(), Unseen: rapid.Bool().Draw(t, "unseen"), Muted: muted}, p)
			if muted && d != Silent && d != Recover {
				t.Fatalf("muted, and %v told", d)
			}
			switch d {
			case Fire:
				if open {
					t.Fatal("told open twice without an end")
				}
				open, sent = true, 1
			case Rise:
				if a.Worst > before.Worst {
					sent = 0
				}
				sent++
			case Repeat:
				sent++
				if now.Sub(before.At) < p.RepeatInterval.Std() {
					t.Fatal("repeated too soon")
				}
			case Recover:
				if !open {
					t.Fatal("an end told that had no beginning")
				}
				open = false
			}
			if p.RepeatNumber > 0 && d == Repeat && sent > p.RepeatNumber {
				t.Fatalf("%d sent, at most %d were to be", sent, p.RepeatNumber)
			}
			if (d == Fire || d == Rise || d == Repeat) && !status.IsBad() || d == Recover && status != pipeline.Ok {
				t.Fatalf("%v told on %v", d, status)
			}
			if status == pipeline.Unknown && a.Phase != before.Phase {
				t.Fatal("unknown moved the alert")
			}
			if open != (a.Phase == Firing && a.Count > 0) {
				t.Fatalf("the sink believes open=%v, the alert is %v", open, a.Phase)
			}
		}
	})
}
