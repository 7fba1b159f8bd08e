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
	return tries{newWorker(&sender{log: zap.NewNop(), spec: &OutputSpec{}, drain: make(chan struct{}), ctx: context.Background()}, 0)}
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
