package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"catpaw/store"
)

// batches is an output that remembers what was delivered by alert, and how often it was asked.
type batches struct {
	size  int
	judge func(m *Message) error // nil: all is delivered
	takes func() time.Duration   // nil: no time
	whole bool                   // one verdict on all: that on the first that it does not take

	mu     sync.Mutex
	writes int
	now    map[string]bool // alerts that are being written
	twice  []string        // alerts that were in two Writes at once
	got    map[string][]string
}

func (b *batches) Init() error     { return nil }
func (b *batches) BatchSize() int  { return b.size }
func (b *batches) AllOrNone() bool { return b.whole }
func (b *batches) Close() error    { return nil }

func (b *batches) Write(_ context.Context, messages []*Message) []error {
	b.begin(messages)
	if b.takes != nil {
		time.Sleep(b.takes())
	}
	return b.end(messages)
}

func (b *batches) begin(messages []*Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.writes++; b.got == nil {
		b.got, b.now = map[string][]string{}, map[string]bool{}
	}
	for _, m := range messages {
		if b.now[m.AlertKey] {
			b.twice = append(b.twice, m.AlertKey)
		}
		b.now[m.AlertKey] = true
	}
}

func (b *batches) end(messages []*Message) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	verdicts := make([]error, len(messages))
	for i, m := range messages {
		if b.judge != nil {
			verdicts[i] = b.judge(m)
		}
		if b.whole && verdicts[i] != nil {
			verdicts = Verdict(len(messages), verdicts[i])
			break
		}
	}
	for i, m := range messages {
		delete(b.now, m.AlertKey)
		if verdicts[i] == nil {
			event, _ := m.Event()
			text, _, _ := strings.Cut(event.Description, "\n") // what comes late says so below
			b.got[m.AlertKey] = append(b.got[m.AlertKey], text)
		}
	}
	return verdicts
}

// rounds is a check that reports 1, 2, 3 … under each of so many keys, in one transaction a round.
func rounds(keys int) *Check {
	n := 0
	return every(time.Second, func(_ context.Context, r *Report) error {
		r.Recall()
		n++
		for i := range keys {
			r.Add(Event{Labels: L("check", fmt.Sprint("key ", i)), Description: fmt.Sprint(n)})
		}
		return nil
	})
}

func TestABatchTakesFromAllLanes(t *testing.T) {
	t.Parallel()
	// Of a lane that is taken in part the rest waits: in the last case that may make one or two requests more than three.
	for _, test := range []struct{ size, most int }{{100, 1}, {50, 1}, {20, 5}} {
		synctest.Test(t, func(t *testing.T) {
			out := &batches{size: test.size}
			p := start([]*Check{rounds(50)}, &OutputSpec{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 16, Output: out})
			time.Sleep(time.Second / 2)
			stop(p)
			if len(out.got) != 50 || out.writes > test.most {
				t.Errorf("batch = %d: %d of 50 alerts in %d requests, want at most %d", test.size, len(out.got), out.writes, test.most)
			}
		})
	}
}

// TestOrderHoldsInSharedBatches of a sink that is slow and fails now and then.
func TestOrderHoldsInSharedBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const keys, last = 30, 300
		random := rand.New(rand.NewPCG(1, 2))
		out := &batches{size: 25, judge: func(*Message) error {
			if random.IntN(10) == 0 {
				return errors.New("not now")
			}
			return nil
		}}
		out.takes = func() time.Duration {
			out.mu.Lock()
			defer out.mu.Unlock()
			return time.Duration(random.IntN(3000)) * time.Millisecond
		}
		p := start([]*Check{rounds(keys)}, &OutputSpec{Name: "a", Content: "1", Timeout: 5 * time.Second, Concurrency: 8, Output: out})
		time.Sleep((last-1)*time.Second + time.Second/2)
		p.scheduler.apply(nil) // no more of them
		time.Sleep(10 * time.Hour)
		if left := stop(p); left != 0 || len(out.got) != keys || len(out.twice) > 0 {
			t.Errorf("%d are left, %d of %d alerts came, written twice at once: %q", left, len(out.got), keys, out.twice)
		}
		for key, got := range out.got {
			for i, text := range got {
				if text != fmt.Sprint(i+1) || len(got) != last {
					t.Fatalf("%s: delivery %d of %d is event %s", key, i+1, len(got), text)
				}
			}
		}
	})
}

// rationed is an output that makes one request a minute.
type rationed struct {
	batches
	next time.Time
}

func (r *rationed) Write(ctx context.Context, messages []*Message) []error {
	r.mu.Lock()
	wait := time.Until(r.next)
	if wait <= 0 {
		r.next = time.Now().Add(time.Minute)
	}
	r.mu.Unlock()
	if wait > 0 {
		return Verdict(len(messages), Paced(wait))
	}
	return r.batches.Write(ctx, messages)
}

// TestWhatWaitsForTheRateLimitGoesTogether when the limit allows a request, whatever lanes it is in.
func TestWhatWaitsForTheRateLimitGoesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const keys = 40
		n := 0
		check := every(time.Second, func(_ context.Context, r *Report) error {
			if n++; n <= keys {
				r.Add(Event{Labels: L("check", fmt.Sprint("key ", n))})
			}
			return nil
		})
		out := &rationed{batches: batches{size: 100}}
		p := start([]*Check{check}, &OutputSpec{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 8, Output: out})
		time.Sleep(90 * time.Second)
		if stop(p); len(out.got) != keys || out.writes != 2 {
			t.Errorf("%d of %d alerts came in %d requests, want all in 2: the first, and what came in the minute after it", len(out.got), keys, out.writes)
		}
	})
}

// backlog runs a sender with 16 lanes alone. commit puts events of so many alerts into its queue at once.
func backlog(t *testing.T, out *batches, coming func(lane int) <-chan struct{}) (commit func(alerts int)) {
	t.Helper()
	kept := store.Memory(zap.NewNop())
	spec := &OutputSpec{Name: "a", Content: "1", Timeout: time.Second, Concurrency: 16, Output: out}
	ctx, abort := context.WithCancel(t.Context())
	s := &sender{
		spec: spec, log: zap.NewNop(), burst: func() {}, ctx: ctx, abort: abort, drain: make(chan struct{}),
		queue: kept.Open(spec.Name, spec.limits()), coming: coming,
	}
	var run sync.WaitGroup
	run.Go(s.run)
	t.Cleanup(func() {
		abort()
		run.Wait()
		kept.Close()
	})
	synctest.Wait() // one that just begins holds its lane for a moment
	ids, n := NewIDs(rand.NewChaCha8([32]byte{})), 0
	return func(alerts int) {
		var tx store.Tx
		for range alerts {
			n++
			event := &Event{AlertKey: fmt.Sprint("key ", n), ID: ids.Next(time.Now())}
			tx.Rows = append(tx.Rows, store.NewRow(spec.Name, event.AlertKey, 1, false, appendMessage(nil, event)))
		}
		kept.Commit(tx)
	}
}

func (b *batches) count() (alerts, writes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got), b.writes
}

// TestOneBatchWaitsForWhatIsBeingWritten with the lanes of all who would: each that waits with its own sends it alone.
func TestOneBatchWaitsForWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const alerts = 20
		out, written := &batches{size: 100}, make(chan struct{})
		commit := backlog(t, out, func(int) <-chan struct{} { return written })
		for range alerts {
			commit(1)
			time.Sleep(time.Millisecond)
		}
		if _, writes := out.count(); writes > 0 {
			t.Errorf("%d requests before it was written", writes)
		}
		close(written)
		synctest.Wait()
		if got, writes := out.count(); got != alerts || writes != 1 {
			t.Errorf("%d of %d alerts in %d requests, want 1", got, alerts, writes)
		}
	})
}

// TestAFullBatchKeepsNoOtherLane waiting: what it has no room for goes at the same time.
func TestAFullBatchKeepsNoOtherLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const takes, alerts = 300 * time.Millisecond, 200
		out, written := &batches{size: alerts / 2, takes: func() time.Duration { return takes }}, make(chan struct{})
		commit := backlog(t, out, func(int) <-chan struct{} { return written })
		commit(alerts / 4) // one worker has all lanes
		synctest.Wait()
		commit(alerts * 3 / 4)
		close(written)
		time.Sleep(takes * 3 / 2)
		if got, _ := out.count(); got < alerts*3/4 { // of the lane that it took in part the rest must wait
			t.Errorf("%d of %d alerts came with the first requests", got, alerts)
		}
	})
}

// TestWhoWaitsForALaneDoesNotTakeIt: what comes while the sink is at work goes together after that.
func TestWhoWaitsForALaneDoesNotTakeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const commits, alerts = 6, 160
		out := &batches{size: 1000, takes: func() time.Duration { return 20 * time.Millisecond }}
		commit := backlog(t, out, func(int) <-chan struct{} { return nil })
		for range commits {
			commit(alerts)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if got, writes := out.count(); got != commits*alerts || writes > 4 {
			t.Errorf("%d of %d alerts in %d requests, want 2, or a few more", got, commits*alerts, writes)
		}
	})
}
