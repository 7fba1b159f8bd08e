package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"catpaw/store"
)

// hanging is a check, in several versions, of which the first run hangs, whatever it is told, until release.
type hanging struct {
	release chan struct{}
	begun   atomic.Int32 // runs
}

func newHanging() *hanging { return &hanging{release: make(chan struct{})} }

// version is what a configuration has of it; 0 is a configuration without it.
func (h *hanging) version(n int) []*Check {
	if n == 0 {
		return nil
	}
	c := every(time.Second, func(context.Context, *Report) error {
		if h.begun.Add(1) == 1 {
			<-h.release
		}
		return nil
	})
	c.Content = fmt.Sprint(n)
	return []*Check{c}
}

// reloads are the versions that follow version 1, which hangs.
var reloads = map[string][]int{
	"none":                            {},
	"changed":                         {2},
	"changed twice":                   {2, 3},
	"changed and back":                {2, 1},
	"removed":                         {0},
	"removed and back":                {0, 1},
	"removed and back, twice":         {0, 1, 0, 1},
	"changed and removed":             {2, 0},
	"changed and removed and changed": {2, 0, 3},
}

func (h *hanging) through(p *Pipeline, versions []int, pace time.Duration) {
	time.Sleep(time.Second / 2)
	for _, n := range versions {
		p.scheduler.apply(h.version(n))
		time.Sleep(pace)
	}
}

// each tries all reloads: slow ones find the successor of the hanging run waiting, quick ones before it does.
func each(t *testing.T, try func(t *testing.T, versions []int, pace time.Duration)) {
	for name, versions := range reloads {
		for pace, d := range map[string]time.Duration{"slowly": 3 * time.Second, "at once": 0} {
			t.Run(name+" "+pace, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { try(t, versions, d) })
			})
		}
	}
}

func TestACheckNeverRunsTwiceAtATime(t *testing.T) {
	each(t, func(t *testing.T, versions []int, pace time.Duration) {
		h := newHanging()
		p := start(h.version(1))
		h.through(p, versions, pace)
		time.Sleep(time.Minute)
		if n := h.begun.Load(); n != 1 {
			t.Errorf("%d runs began while the first hung", n)
		}
		close(h.release)
		time.Sleep(10 * time.Second)
		goesOn := len(versions) == 0 || versions[len(versions)-1] != 0
		if n := h.begun.Load(); n > 1 != goesOn {
			t.Errorf("%d runs in all", n)
		}
		p.scheduler.leaving.Range(func(id, _ any) bool {
			t.Errorf("%s has ended and is not forgotten", id)
			return true
		})
		stop(p)
	})
}

func TestAStopNamesWhatItLeavesBehind(t *testing.T) {
	each(t, func(t *testing.T, versions []int, pace time.Duration) {
		h := newHanging()
		core, log := observer.New(zap.ErrorLevel)
		p := New(Config{Log: zap.New(core), Store: store.Memory(zap.NewNop())})
		well := counter(time.Second)
		well.ID = "test/well"
		p.Apply(append(h.version(1), well), nil, nil)
		h.through(p, versions, pace)
		begin := time.Now()
		stop(p)
		if took := time.Since(begin); took != stopBudget {
			t.Errorf("the stop took %v", took)
		}
		left := log.FilterMessageSnippet("left behind").All()
		if len(left) != 1 || fmt.Sprint(left[0].ContextMap()["checks"]) != "[test/1]" {
			t.Errorf("the log has %v", left)
		}
		close(h.release)
	})
}

func TestNothingStartsAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which ends only when all goroutines have
		h, s := newHanging(), &sink{}
		p := start(nil)
		stop(p)
		p.Apply(h.version(1), []*OutputSpec{to("a", s)}, nil)
		time.Sleep(time.Hour)
		if n := h.begun.Load(); n != 0 {
			t.Errorf("%d runs began", n)
		}
	})
}

// lateWords is a processor that finds what is told of a run after its end.
type lateWords struct {
	ended map[*Run]bool
	late  []string
}

func (l *lateWords) Process(b *Batch) {
	for _, r := range b.Results {
		switch {
		case r.End != nil:
			l.ended[r.Run] = true
		case l.ended[r.Run]:
			l.late = append(l.late, r.Event.Description)
		}
	}
}

// TestNothingIsToldOfARunAfterItsEnd: these runs end at the very moment at which they count as hanging.
func TestNothingIsToldOfARunAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lateWords{ended: map[*Run]bool{}}
		p := New(Config{Log: zap.NewNop(), Store: store.Memory(zap.NewNop()), Processors: []Processor{l}})
		var checks []*Check
		for i := range 200 {
			c := every(time.Second, nil)
			c.ID = fmt.Sprint("test/", i)
			c.Input.(*probe).gather = func(context.Context, *Report) error {
				time.Sleep(maxGather(c) + overdueSlack)
				return nil
			}
			checks = append(checks, c)
		}
		p.Apply(checks, nil, nil)
		time.Sleep(time.Minute)
		stop(p)
		if len(l.ended) < 1000 || len(l.late) > 0 {
			t.Errorf("of %d runs %d words came late: %.120q", len(l.ended), len(l.late), l.late)
		}
	})
}

// TestWhatIsOverDoesNotHang, even where it ends at the moment at which it counts as hanging.
func TestWhatIsOverDoesNotHang(t *testing.T) {
	t.Parallel()
	over, goesOn := make(chan struct{}), make(chan struct{})
	close(over)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	r := &runner{check: every(time.Second, nil)}
	for name, c := range map[string]struct {
		ctx  context.Context
		done chan struct{}
	}{"ended": {t.Context(), over}, "stopped": {stopped, goesOn}} {
		for range 100 {
			r.tellWhile(c.ctx, c.done, 0, func() { t.Errorf("a run that has %s is told of as hanging", name) })
		}
	}
}
