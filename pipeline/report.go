package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"catpaw/internal/printable"
)

// Report takes the results of one Gather. Its methods may be called from several goroutines, but not
// after Gather has returned.
type Report struct {
	run  *Run
	send func([]Result) // those that go on together: of a whole run, which must be committed at once, or some of many

	mu         sync.Mutex
	incomplete map[string]bool
	tally      tally
	onPanic    func(where string, value any, stack []byte)

	recall func(check string) []byte
	held   []Result // the results so far of a run that recalls
	holds  bool
	memo   []byte
}

// Recall returns what the check remembered in its last run that went well, nil where there is nothing.
// From here on the results of this run are handed on all together, when Gather ends, and committed in
// one transaction with what it then Remembers: so nothing is seen twice or skipped after a crash. Call
// it first of all.
func (r *Report) Recall() []byte {
	r.mu.Lock()
	r.holds = true
	r.mu.Unlock()
	if r.recall == nil {
		return nil
	}
	return r.recall(r.run.Check.ID)
}

// Remember keeps data for the next Recall, over restarts and crashes. It counts when Gather returns no
// error; the last call counts.
func (r *Report) Remember(data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memo = data
}

// keeps counts results, and keeps them where those of the run are to go on all together.
func (r *Report) keeps(results ...Result) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range results {
		r.tally.add(results[i].Event.Status)
	}
	if r.holds {
		r.held = append(r.held, results...)
	}
	return r.holds
}

// counted is what was reported so far.
func (r *Report) counted() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally
}

// finish closes the run.
func (r *Report) finish(end RunEnd, well bool) {
	if r.holds && well {
		end.Memo = r.memo
	}
	r.send(append(r.held, Result{Run: r.run, End: &end}))
}

// AtOnce is how many results AddAll hands on together. Who gathers them before need gather no more.
const AtOnce = 16

// AddAll is Add for many results, which it takes over: to hand each on by itself is a tenth of what they cost.
func (r *Report) AddAll(events []Event) {
	for chunk := range slices.Chunk(events, AtOnce) {
		results := make([]Result, len(chunk))
		for i := range chunk {
			results[i] = r.result(&chunk[i])
		}
		if !r.keeps(results...) {
			r.send(results)
		}
	}
}

// Add reports one result.
func (r *Report) Add(e Event) {
	if one := []Result{r.result(&e)}; !r.keeps(one...) {
		r.send(one)
	}
}

func (r *Report) result(e *Event) Result {
	if e.Time == 0 {
		e.Time = time.Now().Unix()
	}
	if e.Status == Bad {
		e.Status = Status(r.run.Check.Policy.DefaultSeverity)
	}
	if e.TitleRule == "" {
		e.TitleRule = "$check"
	}
	if len(e.Description) > MaxDescription {
		e.Description = printable.Cut(e.Description, MaxDescription)
	}
	return Result{Run: r.run, Event: e}
}

// Incomplete says that a source could not be looked at in full this time, so that alerts from it that
// were not mentioned keep their state. "" means the check as a whole.
func (r *Report) Incomplete(source string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.incomplete == nil {
		r.incomplete = map[string]bool{}
	}
	r.incomplete[source] = true
}

// ForEach calls fn for every index below n, at most limit at a time, and returns when all are done or,
// once ctx has ended, when those begun are done; the rest then counts as not looked at. A panic in fn
// is caught and becomes a bad result with the labels of that index.
func (r *Report) ForEach(ctx context.Context, n, limit int, labels func(i int) Labels, fn func(i int)) {
	limit = max(1, min(limit, n))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range limit {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if ctx.Err() != nil {
					r.Incomplete("")
					return
				}
				r.guard(labels, i, fn)
			}
		})
	}
	workers.Wait()
}

func (r *Report) guard(labels func(i int) Labels, i int, fn func(i int)) {
	defer func() {
		if value, stack := caught(recover()); value != nil {
			own := labels(i)
			r.panicked(own.Get("target"), value, stack)
			r.Incomplete("")
			r.Add(Event{Labels: own, Description: fmt.Sprintf(
				"the probe broke down on this target: %v. This is a fault of catpaw: its log has the stack, please report it.", value)})
		}
	}()
	fn(i)
}

func (r *Report) panicked(where string, value any, stack []byte) {
	if r.onPanic != nil {
		r.onPanic(where, value, stack)
	}
}

// NewReport makes a report of a run whose results go to send, which must be safe for concurrent use.
func NewReport(run *Run, send func([]Result)) *Report {
	return &Report{run: run, send: send}
}
