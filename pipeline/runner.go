package pipeline

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// overdueSlack is what a Gather gets after it was cut off before it counts as hanging.
const overdueSlack = 5 * time.Second

// runner runs one check, tick after tick, never twice at a time. Between two runs it is a timer and no goroutine, whose
// stack would be 4 KiB: a thousand TCP checks are 10 MiB less with that.
type runner struct {
	scheduler *scheduler
	check     *Check
	done      chan struct{} // closed when it has ended
	failed    atomic.Bool   // the last run could not do its work
	record    record

	due   time.Time     // of the next run; the run that goes on alone looks at it
	early time.Duration // by so much the second run comes earlier

	mu      sync.Mutex
	timer   *time.Timer        // starts the next run; nil before the first is planned
	cancel  context.CancelFunc // of what goes on: a run, or the wait for the runner before; nil between two runs
	stopped bool
}

// startRunner starts a check: its first run after delay, the second so much early. Where one of the same ID is
// leaving, it begins when that one has ended.
func startRunner(s *scheduler, check *Check, delay, early time.Duration) *runner {
	r := &runner{scheduler: s, check: check, done: make(chan struct{}), early: early}
	previous, ok := s.leaving.LoadAndDelete(check.ID)
	if !ok {
		r.plan(time.Now().Add(delay), 0)
		return r
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel // before anyone can stop it: even then it ends after the one before it
	go func() {
		defer cancel()
		r.succeed(ctx, previous.(*runner))
		r.plan(time.Now().Add(delay), 0)
	}()
	return r
}

// plan has the next run begin when it is due, unless the runner was stopped.
func (r *runner) plan(due time.Time, skipped int) {
	r.due = due
	r.record.due(due, skipped)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel = nil
	switch {
	case r.stopped:
		r.end()
	case r.timer == nil:
		r.timer = time.AfterFunc(time.Until(due), r.turn)
	default:
		r.timer.Reset(time.Until(due))
	}
}

// turn is a run and the plan of the next, unless the runner was stopped; what stops it meanwhile ends the context.
func (r *runner) turn() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.mu.Lock()
	if r.stopped {
		r.end()
		r.mu.Unlock()
		return
	}
	r.cancel = cancel
	r.mu.Unlock()
	r.plan(r.tick(ctx))
}

// stop ends the runner; done tells when it has.
func (r *runner) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
		return
	case r.cancel != nil: // what goes on ends the runner
		r.cancel()
	case r.timer != nil && r.timer.Stop():
		r.end()
	} // else a run is just beginning, and sees it
	r.stopped = true
}

func (r *runner) end() {
	close(r.done)
	r.scheduler.leaving.CompareAndDelete(r.check.ID, r)
}

func (r *runner) log() *zap.Logger {
	return r.scheduler.log.With(zap.String("check", r.check.ID), zap.String("at", r.check.Source))
}

// succeed waits for the runner before a reload, which was told to end. One that does not is told of by
// this one: its own reports count no more.
func (r *runner) succeed(ctx context.Context, previous *runner) {
	report := r.report(ctx, &Run{Check: r.check, Started: time.Now()})
	r.tellWhile(ctx, previous.done, overdueSlack, func() {
		r.fail(report, "the run from before the last reload hangs. No further run starts before it ends.")
	})
	<-previous.done // where this one was stopped first, too: whoever follows it waits for it alone
}

// tellWhile calls tell again and again, first after a while, until done is closed or ctx ends. Again and
// again, since the policy may want it several times or for some time.
func (r *runner) tellWhile(ctx context.Context, done <-chan struct{}, first time.Duration, tell func()) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-timer.C:
			if closed(done) || ctx.Err() != nil { // with both at once, select picks either
				return
			}
			tell()
			timer.Reset(r.check.Interval)
		}
	}
}

// closed reports whether a channel on which nothing is sent is closed.
func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// tick runs the check once and returns when the next run is due.
func (r *runner) tick(ctx context.Context) (due time.Time, skipped int) {
	run := &Run{Check: r.check, Started: time.Now()}
	// A timer this late means that the process was stopped: nobody looked. (While the machine sleeps
	// the monotonic clock, on which all durations here are, stands still by itself.)
	if late := run.Started.Sub(r.due); late > r.check.Interval {
		run.Unseen = late
	}
	r.run(ctx, run)
	due, skipped = nextTick(r.due.Add(-r.early), time.Now(), r.check.Interval)
	r.early = 0
	if skipped > 0 {
		r.log().Debug("the check took longer than its interval; ticks were skipped", zap.Int("ticks", skipped))
	}
	if run.Unseen > 0 { // it is not the check that was late
		skipped = 0
	}
	return due, skipped
}

// run does one Gather and closes it with a RunEnd. When the runner is stopped meanwhile, what was
// reported since is dropped: a probe that was cut off by us has seen nothing.
func (r *runner) run(stop context.Context, run *Run) {
	r.record.begin(run.Started)
	report := r.report(stop, run)
	ended := r.watch(stop, run)
	end, err := gather(stop, report)
	ended()
	if err != nil {
		r.fail(report, notDone+err.Error())
	} else if r.failed.Swap(false) {
		report.Add(Event{Status: Ok, Labels: FailureLabels(r.check), Description: "the check works again"})
	}
	report.finish(end, err == nil)
	r.record.end(report.counted(), err)
}

// watch tells while a run hangs, until ended is called. Once that has returned nothing more is told, so that nothing
// is told of a run after its end.
func (r *runner) watch(stop context.Context, run *Run) (ended func()) {
	deadline, done, told := maxGather(r.check), make(chan struct{}), make(chan struct{})
	overdue := time.AfterFunc(deadline+overdueSlack, func() { // rarely more than a timer
		defer close(told)
		own := r.report(stop, run) // the run's may be holding its results
		r.tellWhile(stop, done, 0, func() {
			r.fail(own, fmt.Sprintf("the check hangs: it should have ended after %s and did not. No further run starts before it ends.", deadline))
		})
	})
	return func() {
		close(done)
		if !overdue.Stop() {
			<-told
		}
	}
}

// report makes a report whose results go to the processors until stop ends.
func (r *runner) report(stop context.Context, run *Run) *Report {
	report := NewReport(run, func(results []Result) {
		if stop.Err() != nil {
			return
		}
		select {
		case r.scheduler.results <- results:
		case <-stop.Done():
		}
	})
	report.recall = r.scheduler.recall
	report.onPanic = func(where string, value any, stack []byte) {
		r.record.panicked()
		r.log().Error("a probe panicked; please report this", zap.String("target", where), zap.Any("panic", value), zap.ByteString("stack", stack))
	}
	return report
}

// fail reports that the check as a whole did not work.
func (r *runner) fail(report *Report, description string) {
	r.failed.Store(true)
	report.Add(Event{Labels: FailureLabels(r.check), Description: description + "\n" + whichCheck(r.check)})
}
