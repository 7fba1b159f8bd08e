package alerting

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// TestTheStoryOfAnAlert: what why tells of a check that sees these results, one a second.
func TestTheStoryOfAnAlert(t *testing.T) {
	t.Parallel()
	const bad, good, unknown = pipeline.Warning, pipeline.Ok, pipeline.Unknown
	for _, c := range []struct {
		name   string
		change func(*pipeline.Policy)
		sees   []pipeline.Status
		want   string // the texts of the lines, their beginnings, and where it stands
	}{
		{"it waits for its time", func(p *pipeline.Policy) { p.ForDuration = config.Duration(time.Minute) },
			[]pipeline.Status{bad, bad, bad}, "Warning x3 not told: not yet bad | pending: bad for 2s of 1m"},
		{"it waits for results in a row", func(p *pipeline.Policy) { p.ForChecks = 3 },
			[]pipeline.Status{bad, bad}, "Warning x2 not told: not yet bad | pending: 2 of 3 bad results in a row"},
		{"it never fired", func(p *pipeline.Policy) { p.ForChecks = 3 },
			[]pipeline.Status{bad, good}, "Warning x1 not told: not yet bad; Ok x1 nothing to tell: it was good again | over"},
		{"it is told again, so often", func(p *pipeline.Policy) { p.RepeatInterval = 0; p.RepeatNumber = 2 },
			[]pipeline.Status{bad, bad, bad, bad}, "Warning x1 told: it fires; Warning x1 told again; Warning x2 not told again: repeat_number | told 2 times, as often"},
		{"it gets worse", nil,
			[]pipeline.Status{bad, pipeline.Critical}, "Warning x1 told: it fires; Critical x1 told: it got worse | told again if still bad at "},
		{"nobody could judge", nil,
			[]pipeline.Status{bad, unknown, unknown}, "Warning x1 told: it fires; Unknown x2 nothing decided | told again if still bad at "},
		{"it is nearly over", func(p *pipeline.Policy) { p.RecoverChecks = 3 },
			[]pipeline.Status{bad, good, good}, "Warning x1 told: it fires; Ok x2 not over yet | good, 2 of 3 results in a row"},
		{"it is over", nil,
			[]pipeline.Status{bad, good, good}, "Warning x1 told: it fires; Ok x1 told: it is over; Ok x1 good, and it was over | over since "},
		{"it is over, and nobody hears", func(p *pipeline.Policy) { p.RecoveryNotification = false; p.FlapWindow = 0 },
			[]pipeline.Status{bad, good}, "Warning x1 told: it fires; Ok x1 over, and not told | over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			one := check("exec/1", func(check *pipeline.Check) {
				check.Policy = pipeline.DefaultPolicy()
				if c.change != nil {
					c.change(&check.Policy)
				}
			})
			r.p.Configure([]*pipeline.Check{one}, func(string) bool { return true })
			for _, status := range c.sees {
				r.run(one, pipeline.RunEnd{Well: true}, finding{key: "disk", status: status})
			}
			stories, more := r.p.Stories("disk", r.now)
			if len(stories) != 1 || more != 0 {
				t.Fatalf("%d stories, %d more", len(stories), more)
			}
			wantStory(t, stories[0], c.want)
		})
	}
}

func wantStory(t *testing.T, s Story, want string) {
	t.Helper()
	lines, standing, _ := strings.Cut(want, " | ")
	wantTexts(t, s, strings.Split(lines, "; "), standing)
}

func wantTexts(t *testing.T, s Story, wanted []string, standing string) {
	t.Helper()
	var got []string
	for _, line := range s.Lines {
		got = append(got, fmt.Sprintf("%s x%d %s", line.Status, line.Results, line.Text))
	}
	for i, line := range got {
		if len(got) != len(wanted) || !strings.HasPrefix(line, wanted[i]) {
			t.Fatalf("story:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
		}
	}
	if !strings.HasPrefix(s.Standing, standing) {
		t.Errorf("it stands at %q, want %q", s.Standing, standing)
	}
}

// TestTheStoryTellsWhyAnAlertEnds of which no result says that all is well.
func TestTheStoryTellsWhyAnAlertEnds(t *testing.T) {
	t.Parallel()
	every := func(string) bool { return true }
	for name, c := range map[string]struct {
		end  func(r *rig, one *pipeline.Check)
		want string
	}{
		"the check is gone": {func(r *rig, one *pipeline.Check) {
			other := check("exec/2", nil)
			r.p.Configure([]*pipeline.Check{other}, every)
			r.run(other, pipeline.RunEnd{Well: true})
		}, "told: it is over: " + causeTexts[checkGone]},
		"it is not reported any more": {func(r *rig, one *pipeline.Check) {
			one.Policy.ResolveAbsent = true
			r.run(one, pipeline.RunEnd{Well: true})
		}, "told: it is over: " + causeTexts[absent]},
		"alerting is switched off": {func(r *rig, one *pipeline.Check) {
			one.Policy.Enabled = false
			r.run(one, pipeline.RunEnd{Well: true}, finding{key: "disk", status: pipeline.Warning})
		}, "told: it is over: " + causeTexts[switchedOff]},
		"it is good": {func(r *rig, one *pipeline.Check) {
			r.run(one, pipeline.RunEnd{Well: true}, finding{key: "disk", status: pipeline.Ok})
		}, "told: it is over"},
	} {
		r := newRig(t)
		one := check("exec/1", nil)
		r.p.Configure([]*pipeline.Check{one}, every)
		r.run(one, pipeline.RunEnd{Well: true}, finding{key: "disk", status: pipeline.Warning})
		c.end(r, one)
		stories, _ := r.p.Stories("disk", r.now)
		if len(stories) != 1 || len(stories[0].Lines) != 2 || stories[0].Lines[1].Text != c.want {
			t.Errorf("%s: %+v, want %q", name, stories, c.want)
		}
	}
}

// TestStoriesAreBounded: neither a flapping alert nor many that are over fill the memory.
func TestStoriesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one := check("exec/1", func(c *pipeline.Check) { c.Policy.FlapWindow = config.Duration(time.Hour) })
	short := check("exec/2", func(c *pipeline.Check) { c.Policy.FlapWindow = 0 })
	r.p.Configure([]*pipeline.Check{one, short}, func(string) bool { return true })
	for i := range 200 {
		r.run(one, pipeline.RunEnd{Well: true}, finding{key: "flaps", status: []pipeline.Status{pipeline.Ok, pipeline.Warning}[i%2]})
	}
	for i := range mostEnded + 100 {
		key := fmt.Sprint("key", i)
		r.run(short, pipeline.RunEnd{Well: true}, finding{key: key, status: pipeline.Warning})
		r.run(short, pipeline.RunEnd{Well: true}, finding{key: key, status: pipeline.Ok})
	}
	stories, _ := r.p.Stories("flaps", r.now)
	if n := len(stories[0].Lines); n != mostChapters {
		t.Errorf("the story of the flapping alert has %d lines", n)
	}
	if n := len(r.p.past.byKey); n != mostEnded || len(r.p.past.order) != mostEnded {
		t.Errorf("%d stories are kept", n)
	}
	all, more := r.p.Stories("exec/2", r.now)
	if len(all) != mostStories || len(all)+more != mostEnded {
		t.Errorf("%d stories told, %d more", len(all), more)
	}
}

// TestASnapshotIsNotChanged by what is decided while somebody looks at it; the race detector looks on.
func TestASnapshotIsNotChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, finding{key: "disk", status: pipeline.Warning})
	snapshot := r.p.Snapshot(r.now)
	looked := make(chan []View)
	go func() { looked <- snapshot.Views() }()
	r.run(c, well, finding{key: "disk", status: pipeline.Critical})
	if _, err := r.p.Ack(&pipeline.Batch{Now: r.now}, "disk", "root knows"); err != nil {
		t.Fatal(err)
	}
	if view := (<-looked)[0]; view.Severity != "Warning" || view.Acked != "" {
		t.Errorf("what came later is seen: %+v", view)
	}
	if view := r.p.Snapshot(r.now).Views()[0]; view.Severity != "Critical" || view.Acked != "root knows" {
		t.Errorf("what came before is not seen: %+v", view)
	}
}

// TestTheStoryOfARestoredAlertSaysThatItHasABeginning that nobody knows: results do not outlive the agent.
func TestTheStoryOfARestoredAlertSaysThatItHasABeginning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := check("exec/1", func(c *pipeline.Check) { c.Policy.FlapWindow = 0 })
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("old"))
	saved := r.saved()
	r = newRig(t)
	r.p.began = r.now
	r.p.Restore(saved)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("old"), bads("new"))
	before := func(key string) string {
		stories, _ := r.p.Stories(key, r.now)
		return stories[0].Before
	}
	if got, want := before("old"), "the agent started at "+epoch.Format(time.TimeOnly+" MST")+"; what was before is not known"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := before("new"); got != "" {
		t.Errorf("of what came later: %q", got)
	}
	r.run(c, well, oks("old"))
	r.run(c, well, bads("old"))
	if got := before("old"); got != "" {
		t.Errorf("of the next episode: %q", got)
	}
}
