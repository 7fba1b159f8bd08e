package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"catpaw/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// probe is an input made of a function.
type probe struct {
	gather func(ctx context.Context, r *Report) error
	max    time.Duration
}

func (p *probe) Init() error                                 { return nil }
func (p *probe) Gather(ctx context.Context, r *Report) error { return p.gather(ctx, r) }
func (p *probe) MaxGather() time.Duration                    { return max(p.max, time.Second) }

// tellAll is a processor that lets every event through.
type tellAll struct{ ends []RunEnd }

func (t *tellAll) Process(b *Batch) {
	for _, r := range b.Results {
		if r.Event != nil {
			r.Event.AlertKey = r.Event.Labels.Get("check")
			b.Notify = append(b.Notify, r.Event)
		} else {
			t.ends = append(t.ends, *r.End)
			if r.End.Memo != nil {
				b.Memos = append(b.Memos, store.Memo{Check: r.Check.ID, Data: r.End.Memo})
			}
		}
	}
}

// sink is an output made of a function; it remembers what was delivered.
type sink struct {
	batch int
	write func(ctx context.Context, m *Message) error

	mu     sync.Mutex
	got    []string
	closed bool
}

func (s *sink) Init() error    { return nil }
func (s *sink) BatchSize() int { return max(1, s.batch) }
func (s *sink) Close() error   { s.closed = true; return nil }
func (s *sink) Write(ctx context.Context, batch []*Message) []error {
	verdicts := make([]error, len(batch))
	for i, m := range batch {
		if s.write != nil {
			verdicts[i] = s.write(ctx, m)
		}
		if verdicts[i] == nil {
			event, _ := m.Event()
			s.mu.Lock()
			s.got = append(s.got, event.Description)
			s.mu.Unlock()
		}
	}
	return verdicts
}

func (s *sink) delivered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func every(interval time.Duration, gather func(ctx context.Context, r *Report) error) *Check {
	return &Check{ID: "test/1", Content: "1", Plugin: "test", Source: "test.toml:1", Interval: interval,
		Policy: DefaultPolicy(), Input: &probe{gather: gather}}
}

func to(name string, s *sink) *OutputSpec {
	return &OutputSpec{Name: name, Content: "1", Timeout: 5 * time.Second, Concurrency: 2, Output: s}
}

func start(checks []*Check, outputs ...*OutputSpec) *Pipeline {
	p := New(Config{Log: zap.NewNop(), Store: store.Memory(zap.NewNop()), Processors: []Processor{&tellAll{}}})
	p.Apply(checks, outputs, nil)
	return p
}

func stop(p *Pipeline) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	p.Stop(ctx)
	left := 0
	for _, queue := range p.committer.store.Queues() {
		left += queue.Queued
	}
	return left
}

// counter is a check that reports 1, 2, 3 … under one key.
func counter(interval time.Duration) *Check {
	n := 0
	return every(interval, func(_ context.Context, r *Report) error {
		n++
		r.Add(Event{Labels: L("check", "count"), Description: fmt.Sprint(n)})
		return nil
	})
}

func TestTicksKeepTheirDistanceStartToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		check := every(10*time.Second, func(context.Context, *Report) error {
			at = append(at, time.Since(begin))
			if len(at) == 2 {
				time.Sleep(25 * time.Second) // two ticks late
			}
			return nil
		})
		check.Input.(*probe).max = time.Minute
		p := start([]*Check{check})
		time.Sleep(61 * time.Second)
		stop(p)
		if got := fmt.Sprint(at); got != "[0s 10s 40s 50s 1m0s]" {
			t.Errorf("ran at %s", got)
		}
	})
}

func TestFirstRunsAreSpreadOverAnInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex
		var last time.Duration
		var checks []*Check
		for i := range 1000 {
			c := every(time.Hour, func(context.Context, *Report) error {
				mu.Lock()
				defer mu.Unlock()
				last = max(last, time.Since(begin))
				return nil
			})
			c.ID = fmt.Sprint("test/", i)
			checks = append(checks, c)
		}
		p := start(checks)
		time.Sleep(time.Second)
		stop(p)
		if last == 0 || last > 500*time.Millisecond {
			t.Errorf("the last of 1,000 checks began after %v", last)
		}
	})
}

func TestAStoppedCheckReportsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		check := every(time.Hour, func(ctx context.Context, r *Report) error {
			<-ctx.Done()
			r.Add(Event{Labels: L("check", "x"), Description: "connection failed: " + ctx.Err().Error()})
			return ctx.Err()
		})
		check.Input.(*probe).max = time.Hour
		p := start([]*Check{check}, to("a", s))
		time.Sleep(time.Second)
		if left := stop(p); left != 0 || len(s.delivered()) != 0 {
			t.Errorf("left %d, delivered %v", left, s.delivered())
		}
	})
}

func TestAFailedCheckIsAResultAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := &sink{}, 0
		p := start([]*Check{every(10*time.Second, func(ctx context.Context, r *Report) error {
			switch n++; n {
			case 1:
				return errors.New("no such thing")
			case 2:
				panic("ouch")
			case 3:
				<-ctx.Done() // beyond its deadline
			}
			return nil
		})}, to("a", s))
		time.Sleep(45 * time.Second)
		stop(p)
		want := []string{"no such thing", "panicked: ouch", "cut off at its deadline of 3s", "works again"}
		got := s.delivered()
		if len(got) != len(want) {
			t.Fatalf("delivered %q", got)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("event %d is %q, should say %q", i, got[i], want[i])
			}
		}
	})
}

func TestACheckThatHangsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, release := &sink{}, make(chan struct{})
		p := start([]*Check{every(time.Second, func(context.Context, *Report) error { <-release; return nil })}, to("a", s))
		time.Sleep(20 * time.Second)
		if got := s.delivered(); len(got) < 2 || !strings.Contains(got[0], "the check hangs") {
			t.Errorf("delivered %q", got)
		}
		close(release)
		stop(p)
	})
}

func TestACheckWhosePredecessorHangsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, release := &sink{}, make(chan struct{})
		p := start([]*Check{every(time.Second, func(context.Context, *Report) error { <-release; return nil })}, to("a", s))
		time.Sleep(time.Second)
		changed := counter(time.Second)
		changed.Content = "2"
		p.Apply([]*Check{changed}, []*OutputSpec{to("a", s)}, nil)
		time.Sleep(20 * time.Second)
		if got := s.delivered(); len(got) == 0 || !strings.Contains(got[0], "before the last reload hangs") {
			t.Errorf("delivered %q", got)
		}
		close(release)
		time.Sleep(10 * time.Second)
		stop(p)
		if got := s.delivered(); !slices.Contains(got, "1") || !slices.ContainsFunc(got, func(e string) bool { return strings.Contains(e, "works again") }) {
			t.Errorf("delivered %q", got)
		}
	})
}

func TestAPanicOnOneTargetLeavesTheOthers(t *testing.T) {
	t.Parallel()
	check := every(time.Hour, func(ctx context.Context, r *Report) error {
		label := func(i int) Labels { return L("target", fmt.Sprint(i)) }
		r.ForEach(ctx, 20, 4, label, func(i int) {
			if i == 7 {
				panic("seven")
			}
			r.Add(Event{Status: Ok, Labels: label(i)})
		})
		return nil
	})
	events, end, err := Look(t.Context(), check)
	if err != nil || len(events) != 20 || !end.Incomplete[""] {
		t.Fatalf("%d events, end %+v, %v", len(events), end, err)
	}
	for _, e := range events {
		if (e.Status == Ok) == (e.Labels.Get("target") == "7") {
			t.Errorf("target %s is %v", e.Labels.Get("target"), e.Status)
		}
	}
}

func TestOrderPerAlertHoldsThroughFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := &sink{batch: 10, write: func(context.Context, *Message) error {
			if tries++; tries%3 != 0 {
				return errors.New("not now")
			}
			return nil
		}}
		p := start([]*Check{counter(time.Second)}, to("a", s))
		time.Sleep(10*time.Minute + time.Second/2)
		p.scheduler.apply(nil) // no more of them
		time.Sleep(10 * time.Hour)
		got := s.delivered()
		for i, text := range got {
			if text != fmt.Sprint(i+1) {
				t.Fatalf("delivery %d is event %s", i+1, text)
			}
		}
		if len(got) != 601 || stop(p) != 0 {
			t.Errorf("delivered %d of 601", len(got))
		}
	})
}

func TestAHangingSinkDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &sink{write: func(ctx context.Context, _ *Message) error { <-ctx.Done(); return ctx.Err() }}
		good := &sink{}
		p := start([]*Check{counter(time.Second)}, to("hangs", hangs), to("good", good))
		time.Sleep(60*time.Second + time.Second/2)
		if n := len(good.delivered()); n != 61 {
			t.Errorf("the good sink has %d events after a minute of 1 s checks", n)
		}
		begin := time.Now()
		if left := stop(p); left != 61 || time.Since(begin) > 6*time.Second || !hangs.closed || !good.closed {
			t.Errorf("stop took %v and left %d", time.Since(begin), left)
		}
	})
}

func TestRefusedEventsBlockNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{write: func(_ context.Context, m *Message) error {
			if e, _ := m.Event(); e.Description == "2" {
				return Refusedf("bad payload")
			}
			return nil
		}}
		p := start([]*Check{counter(time.Second)}, to("a", s))
		time.Sleep(3*time.Second + time.Second/2)
		stop(p)
		if got := fmt.Sprint(s.delivered()); got != "[1 3 4]" {
			t.Errorf("delivered %s", got)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, second := time.Now(), time.Duration(0)
		tries := 0
		s := &sink{write: func(context.Context, *Message) error {
			if tries++; tries == 1 {
				return RetryAfter(errors.New("slow down"), 90*time.Second)
			}
			second = time.Since(begin)
			return nil
		}}
		p := start([]*Check{counter(time.Hour)}, to("a", s))
		time.Sleep(3 * time.Minute)
		stop(p)
		if second != 90*time.Second {
			t.Errorf("tried again after %v", second)
		}
	})
}

// TestAnOutputThatRefusesEverythingFails, also where it could not be reached before: that it answers is no success.
func TestAnOutputThatRefusesEverythingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &sink{write: func(context.Context, *Message) error {
			switch after := time.Since(begin); {
			case after < time.Minute:
				return errors.New("503")
			case after < 11*time.Minute:
				return Refused(errors.New("400"))
			}
			return nil
		}}
		p := start([]*Check{counter(time.Second)}, to("a", s))
		defer stop(p)
		time.Sleep(11*time.Minute - time.Second/2)
		if h := p.Health()["a"]; h.FailsSince.Sub(begin) > 2*time.Second || h.FailsSince.IsZero() || !h.Refuses || h.LastError != "400" {
			t.Errorf("of a sink that refused all for ten minutes: %+v", h)
		}
		time.Sleep(2 * time.Second)
		if h := p.Health()["a"]; !h.FailsSince.IsZero() || h.Refuses {
			t.Errorf("of a sink that takes events: %+v", h)
		}
	})
}

// TestAnOutputThatPacesItselfHasNotFailed: waiting for its own rate is nothing to tell.
func TestAnOutputThatPacesItselfHasNotFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, second := time.Now(), time.Duration(0)
		tries := 0
		s := &sink{write: func(context.Context, *Message) error {
			if tries++; tries == 1 {
				return Paced(20 * time.Second)
			}
			second = time.Since(begin)
			return nil
		}}
		p := start([]*Check{counter(time.Hour)}, to("a", s))
		time.Sleep(3 * time.Minute)
		health := p.Health()["a"]
		stop(p)
		if second != 20*time.Second || health.LastError != "" {
			t.Errorf("tried again after %v, last error %q", second, health.LastError)
		}
	})
}

func TestAStopTriesOnceMoreAndLeavesTheRestInTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := &sink{write: func(context.Context, *Message) error {
			tries++
			return RetryAfter(errors.New("slow down"), 30*time.Second)
		}}
		p := start([]*Check{counter(time.Hour)}, to("a", s))
		time.Sleep(time.Second)
		begin := time.Now()
		if left := stop(p); left != 1 || tries != 2 || time.Since(begin) > 0 {
			t.Errorf("left %d after %d tries and %v", left, tries, time.Since(begin))
		}
	})
}

func TestAnOutputThatPanicsOrMiscountsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := &sink{write: func(context.Context, *Message) error {
			if tries++; tries < 3 {
				panic("ouch")
			}
			return nil
		}}
		p := start([]*Check{counter(time.Hour)}, to("a", s))
		time.Sleep(time.Minute)
		stop(p)
		if got := fmt.Sprint(s.delivered()); got != "[1]" {
			t.Errorf("delivered %s", got)
		}
	})
}

func TestReloadLeavesAloneWhatDidNotChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		runs := map[string]int{}
		make := func(id, content string) *Check {
			c := every(time.Minute, func(context.Context, *Report) error {
				mu.Lock()
				defer mu.Unlock()
				runs[id+content]++
				return nil
			})
			c.ID, c.Content = id, content
			return c
		}
		p := start([]*Check{make("same", "1"), make("changed", "1"), make("gone", "1")})
		time.Sleep(40 * time.Second)
		p.Apply([]*Check{make("same", "1"), make("changed", "2"), make("new", "1")}, nil, nil)
		time.Sleep(25 * time.Second)
		stop(p)
		if got := fmt.Sprint(runs); got != "map[changed1:1 changed2:1 gone1:1 new1:1 same1:2]" {
			t.Errorf("runs: %s", got)
		}
	})
}

// TestRunsAreSpread: a thousand checks that begin together do not go on running together, and none of them waits
// longer than its interval.
func TestRunsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		var mu sync.Mutex
		began := map[string][]time.Time{}
		var checks []*Check
		for i := range n {
			id := strconv.Itoa(i)
			c := every(10*time.Second, func(context.Context, *Report) error {
				mu.Lock()
				defer mu.Unlock()
				began[id] = append(began[id], time.Now())
				return nil
			})
			c.ID = id
			checks = append(checks, c)
		}
		begun := time.Now()
		p := start(checks)
		time.Sleep(25 * time.Second)
		stop(p)
		perSecond := map[time.Duration]int{}
		for id, at := range began {
			if first := at[0].Sub(begun); first > firstRuns {
				t.Fatalf("check %s runs first after %s", id, first)
			}
			if gap := at[1].Sub(at[0]); gap > 10*time.Second || gap < 5*time.Second {
				t.Errorf("check %s runs again after %s", id, gap)
			}
			if gap := at[2].Sub(at[1]); gap != 10*time.Second {
				t.Errorf("check %s keeps no time: %s", id, gap)
			}
			perSecond[at[2].Sub(begun).Truncate(time.Second)]++
		}
		for second, runs := range perSecond {
			if runs > n/4 {
				t.Errorf("%d runs in the second at %s", runs, second)
			}
		}
	})
}

func TestAChangedOutputTakesOverTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &sink{write: func(ctx context.Context, _ *Message) error { <-ctx.Done(); return ctx.Err() }}
		good := &sink{}
		check := counter(time.Second)
		p := start([]*Check{check}, to("a", hangs))
		time.Sleep(3*time.Second + time.Second/2)
		spec := to("a", good)
		spec.Content = "2"
		p.Apply([]*Check{check}, []*OutputSpec{spec}, nil)
		time.Sleep(time.Second / 4)
		if got := fmt.Sprint(good.delivered()); got != "[1 2 3 4]" || !hangs.closed {
			t.Errorf("the successor delivered %s", got)
		}
		stop(p)
	})
}

func TestNextTick(t *testing.T) {
	t.Parallel()
	due := time.Unix(1000, 0)
	for _, c := range []struct{ late, next, skipped int }{{0, 10, 0}, {9, 10, 0}, {10, 10, 0}, {11, 20, 1}, {20, 20, 1}, {35, 40, 3}} {
		next, skipped := nextTick(due, due.Add(time.Duration(c.late)*time.Second), 10*time.Second)
		if next.Sub(due) != time.Duration(c.next)*time.Second || skipped != c.skipped {
			t.Errorf("done %d s after it was due: next after %v, %d skipped; want %d s, %d", c.late, next.Sub(due), skipped, c.next, c.skipped)
		}
	}
}

func TestBackoffIsCapped(t *testing.T) {
	t.Parallel()
	most := func(n int64) int64 { return n - 1 }
	for failures, want := range map[int]time.Duration{0: 500 * time.Millisecond, 3: 4 * time.Second, 7: time.Minute, 5000: time.Minute} {
		if got := backoff(failures, most).Round(10 * time.Millisecond); got != want {
			t.Errorf("after %d failures: at most %v, want %v", failures, got, want)
		}
	}
}

func TestARowThatCannotBeReadHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, s := store.Memory(zap.NewNop()), &sink{batch: 10}
		p := New(Config{Log: zap.NewNop(), Store: memory, Processors: []Processor{&tellAll{}}})
		p.Apply(nil, []*OutputSpec{{Name: "a", Timeout: time.Second, Concurrency: 1, Output: s}}, nil)
		row := func(key, text string) *store.Row {
			return &store.Row{Queue: "a", Key: key, Data: appendMessage(nil, &Event{ID: someID, Description: text})}
		}
		memory.Commit(store.Tx{Rows: []*store.Row{row("k", "1"), {Queue: "a", Key: "broken", Data: []byte("?")}, row("l", "2")}})
		synctest.Wait()
		if left := stop(p); fmt.Sprint(s.delivered()) != "[1 2]" || left != 0 {
			t.Errorf("delivered %v, left %d", s.delivered(), left)
		}
	})
}

func TestRounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, concurrency int
		each, want     time.Duration
	}{{0, 5, time.Second, 0}, {1, 5, time.Second, time.Second}, {5, 5, time.Second, time.Second}, {6, 5, time.Second, 2 * time.Second},
		{2, int(^uint(0) >> 1), time.Second, time.Second}, {1 << 40, 1, time.Hour, 365 * 24 * time.Hour}} {
		if got := Rounds(c.n, c.concurrency, c.each); got != c.want {
			t.Errorf("%d at %d a time: %v, want %v", c.n, c.concurrency, got, c.want)
		}
	}
}

// TestAtTheStopAnEventThatFailsIsTriedOnce more, not as often as the time for the stop allows.
func TestAtTheStopAnEventThatFailsIsTriedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &batches{size: 10, judge: func(m *Message) error {
			if strings.Contains(m.AlertKey, "poison") {
				return errors.New("not this one")
			}
			return nil
		}}
		n := 0
		check := every(10*time.Second, func(_ context.Context, r *Report) error {
			if n++; n == 1 {
				r.Add(Event{Labels: L("check", "poison")})
			}
			r.Add(Event{Labels: L("check", "good"), Description: fmt.Sprint(n)})
			return nil
		})
		out.takes = func() time.Duration { return time.Millisecond }
		p := start([]*Check{check}, &OutputSpec{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 1, Output: out})
		time.Sleep(125 * time.Second)
		out.mu.Lock()
		before := out.writes
		out.mu.Unlock()
		if left := stop(p); left != 1 || out.writes-before > 1 {
			t.Errorf("%d tries were made at the stop, want at most 1; %d events are left, want the one that fails", out.writes-before, left)
		}
	})
}
