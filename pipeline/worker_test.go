package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"catpaw/store"
)

// tries lets a worker judge what a sink says: of "a+ b-" it takes a and does not take b.
type tries struct{ *worker }

func newTries() tries {
	return tries{newWorker(&sender{log: zap.NewNop(), spec: &OutputSpec{Output: &batches{size: 1}}, drain: make(chan struct{}), ctx: context.Background()}, 0)}
}

func (w tries) try(write string) {
	var parcels []store.Parcel
	var verdicts []error
	for _, one := range strings.Fields(write) {
		key, how := one[:len(one)-1], one[len(one)-1]
		parcels = append(parcels, store.Parcel{Rows: []*store.Row{{Key: key}}})
		verdicts = append(verdicts, map[byte]error{'+': nil, '-': errors.New("503")}[how])
	}
	w.judge(parcels, verdicts)
}

func TestOnlyWhatFailsByItselfIsProvenToDoSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		writes []string
		waits  bool // a does
		proven bool
	}{
		"an outage, and its end":                   {[]string{"a-", "a-", "b-", "b-", "b+"}, true, false},
		"an outage after it":                       {[]string{"a-", "a-", "b+", "a-", "a-", "a-", "a-", "a-"}, true, false},
		"it got through":                           {[]string{"a- b-", "a+ b-"}, false, false},
		"it got through when others did":           {[]string{"a- b-", "a+ b+"}, false, false},
		"it fails beside others":                   {[]string{"a- b+", "a- b+", "a- b+", "a- b+", "a- b+"}, true, true},
		"it fails between others":                  {[]string{"a-", "b+", "a-", "b+", "a-", "b+", "a-", "b+", "a-", "b+", "a-"}, true, true},
		"it fails beside others, but not for long": {[]string{"a- b+", "a- b+", "a- b+"}, true, false},
		"it fails, there is no other, for minutes": {[]string{"a-", "b+", "a-", "a-", "a-", "a-", "a-", "a-", "a-", "a-", "a-", "a-"}, true, true},
	} {
		w := newTries()
		for _, write := range c.writes {
			w.try(write)
		}
		wait, waits := w.waiting["a"]
		if waits != c.waits || wait.proven() != c.proven {
			t.Errorf("%s: it waits: %v, proven: %v; %+v", name, waits, wait.proven(), wait)
		}
	}
}

// TestAnEventThatIsNeverTakenHoldsUpNoOther, though its alert is told so often that its rows fill all that memory holds of
// the only lane.
func TestAnEventThatIsNeverTakenHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const seconds, often = 200, 10
		kept, _, err := store.Open(store.Config{Dir: t.TempDir(), Log: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		out := &batches{size: 1, judge: func(m *Message) error {
			if strings.Contains(m.AlertKey, "poison") {
				return errors.New("503")
			}
			return nil
		}}
		n := 0
		check := every(time.Second, func(_ context.Context, r *Report) error {
			if n++; n > seconds {
				return nil
			}
			for range often {
				r.Add(Event{Labels: L("check", "poison")})
			}
			r.Add(Event{Labels: L("check", fmt.Sprint("other ", n))})
			return nil
		})
		p := New(Config{Log: zap.NewNop(), Store: kept, Processors: []Processor{&tellAll{}}})
		p.Apply([]*Check{check}, []*OutputSpec{{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 1, Output: out}}, nil)
		time.Sleep(10 * time.Minute)
		if got, _ := out.count(); got != seconds {
			t.Errorf("%d of %d other alerts came: %+v", got, seconds, kept.Queues()[0].Counts)
		}
		stop(p)
		kept.Close()
	})
}

// TestABatchThatFailsAsAWholeIsTriedInParts: where a sink answers with an error whatever holds a bad event, all others come
// through, though nothing new is told that would.
func TestABatchThatFailsAsAWholeIsTriedInParts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ bad, of, size, lanes, minutes int }{{1, 60, 100, 1, 1}, {1, 1000, 1000, 1, 2}, {11, 300, 100, 4, 5}, {30, 300, 100, 1, 10}} {
		synctest.Test(t, func(t *testing.T) {
			bad := func(i int) bool { return i%(test.of/test.bad) == 7 && i/(test.of/test.bad) < test.bad }
			out := &batches{size: test.size, whole: true, judge: func(m *Message) error {
				if strings.Contains(m.AlertKey, "bad") {
					return errors.New("500")
				}
				return nil
			}}
			once := true
			check := every(time.Second, func(_ context.Context, r *Report) error {
				for i := range test.of {
					name := "good "
					if bad(i) {
						name = "bad "
					}
					if once {
						r.Add(Event{Labels: L("check", fmt.Sprint(name, i))})
					}
				}
				once = false
				return nil
			})
			p := start([]*Check{check}, &OutputSpec{Name: "a", Content: "1", Timeout: time.Second, Concurrency: test.lanes, Output: out})
			time.Sleep(time.Duration(test.minutes) * time.Minute)
			if got, _ := out.count(); got != test.of-test.bad {
				t.Errorf("%+v: %d came through", test, got)
			}
			stop(p)
		})
	}
}

// TestASinkThatSaysWhenToComeBackGetsAWholeBatch: it means itself and no event.
func TestASinkThatSaysWhenToComeBackGetsAWholeBatch(t *testing.T) {
	const alerts = 100
	t.Parallel()
	for _, test := range []struct {
		err  error
		most int // requests in which all get through
	}{{RetryAfter(errors.New("429"), 5*time.Second), 1}, {errors.New("500"), alerts / 2}} {
		synctest.Test(t, func(t *testing.T) {
			busy := time.Now().Add(30 * time.Second)
			failed := 0
			out := &batches{size: alerts, whole: true, judge: func(*Message) error {
				if time.Now().Before(busy) {
					failed++
					return test.err
				}
				return nil
			}}
			p := start([]*Check{rounds(alerts)}, &OutputSpec{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 1, Output: out})
			time.Sleep(time.Second / 2)
			p.scheduler.stop()
			time.Sleep(5 * time.Minute)
			if got, _ := out.count(); got != alerts || out.writes-failed > test.most || failed < 3 {
				t.Errorf("%v: %d of %d came in %d requests, want at most %d", test.err, got, alerts, out.writes-failed, test.most)
			}
			stop(p)
		})
	}
}

// TestWhatBeganAndEndedInAnOutageIsToldAsOne, also where each message goes by itself, and of many alerts.
func TestWhatBeganAndEndedInAnOutageIsToldAsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rounds, alerts = 5, 400 // more than memory holds of a lane
		kept, _, err := store.Open(store.Config{Dir: t.TempDir(), Log: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		end := time.Now().Add(90 * time.Second)
		out := &batches{size: 1, judge: func(*Message) error {
			if time.Now().Before(end) {
				return errors.New("503")
			}
			return nil
		}}
		p := New(Config{Log: zap.NewNop(), Store: kept})
		p.Apply(nil, []*OutputSpec{{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 4, Output: out}}, nil)
		for round := range rounds {
			for _, status := range []Status{Critical, Ok} {
				p.Do(func(b *Batch) {
					for i := range alerts {
						b.Notify = append(b.Notify, &Event{Time: b.Now.Unix(), FirstFireTime: b.Now.Unix(), Status: status, AlertKey: fmt.Sprint(round, i)})
					}
				})
				time.Sleep(time.Second)
			}
		}
		time.Sleep(10 * time.Minute)
		counts := kept.Queues()[0].Counts
		stop(p)
		kept.Close()
		if counts.Merged != rounds*alerts || counts.Delivered != rounds*alerts {
			t.Errorf("%+v", counts)
		}
	})
}

// TestAfterAnOutageNothingIsMerged, however many events of an alert wait.
func TestAfterAnOutageNothingIsMerged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hot, events, cold = 20, 100, 2000
		kept, _, err := store.Open(store.Config{Dir: t.TempDir(), Log: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		end := time.Now().Add(time.Minute)
		out := &batches{size: 10, judge: func(*Message) error {
			if time.Now().Before(end) {
				return errors.New("503")
			}
			return nil
		}}
		p := New(Config{Log: zap.NewNop(), Store: kept, Processors: []Processor{&tellAll{}}})
		n := 0
		check := every(time.Second, func(_ context.Context, r *Report) error {
			if n++; n > events {
				return nil
			}
			for i := range hot {
				r.Add(Event{Labels: L("check", fmt.Sprint("hot ", i))})
			}
			for i := range cold / events {
				r.Add(Event{Labels: L("check", fmt.Sprint("cold ", n, " ", i))})
			}
			return nil
		})
		p.Apply([]*Check{check}, []*OutputSpec{{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 2, Output: out}}, nil)
		time.Sleep(10 * time.Minute)
		counts := kept.Queues()[0].Counts
		stop(p)
		kept.Close()
		if want := uint64(hot*events + cold); counts.Delivered != want || counts.Merged > 0 {
			t.Errorf("%+v, want all %d delivered", counts, want)
		}
	})
}
