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

// runner runs one check, tick after tick, never twice at a time.
type runner struct {
	check   *Check
	results chan<- Result
	recall  func(check string) []byte
	log     *zap.Logger
	cancel  context.CancelFunc
	done    chan struct{}
	failed  atomic.Bool // the last run could not do its work
	record  record
}

// startRunner starts a check: its first run after delay, the second so much early. Where it replaces a runner, it
// begins when that one has ended.
func startRunner(s *scheduler, check *Check, delay, early time.Duration, previous *runner) *runner {
	ctx, cancel := context.WithCancel(s.ctx)
	r := &runner{
		check: check, results: s.results, recall: s.recall, cancel: cancel, done: make(chan struct{}),
		log: s.log.WithLazy(zap.String("check", check.ID), zap.String("at", check.Source)),
	}
	s.running.Go(func() {
		defer close(r.done)
		if previous != nil {
			r.succeed(ctx, previous)
		}
		r.loop(ctx, delay, early)
	})
	return r
}

// succeed waits for the runner before a reload, which was told to end. One that does not is told of by
// this one: its own reports count no more.
func (r *runner) succeed(ctx context.Context, previous *runner) {
	report := r.report(ctx, &Run{Started: time.Now()})
	r.tellWhile(ctx, previous.done, overdueSlack, func() {
		r.fail(report, "the run from before the last reload hangs. No further run starts before it ends.")
	})
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
			tell()
			timer.Reset(r.check.Interval)
		}
	}
}

func (r *runner) loop(ctx context.Context, delay, early time.Duration) {
	due := time.Now().Add(delay)
	r.record.due(due, 0)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		run := &Run{Started: time.Now()}
		// A timer this late means that the process was stopped: nobody looked. (While the machine sleeps
		// the monotonic clock, on which all durations here are, stands still by itself.)
		if late := run.Started.Sub(due); late > r.check.Interval {
			run.Unseen = late
		}
		// In a goroutine of its own, whose stack, grown by the probe, goes with it: a thousand TCP checks
		// between two ticks are 20.3 MiB resident so, 21.6 MiB otherwise.
		var gather sync.WaitGroup
		gather.Go(func() { r.run(ctx, run) })
		gather.Wait()
		var skipped int
		due, skipped = nextTick(due.Add(-early), time.Now(), r.check.Interval)
		early = 0
		if skipped > 0 {
			r.log.Debug("the check took longer than its interval; ticks were skipped", zap.Int("ticks", skipped))
		}
		if run.Unseen > 0 { // it is not the check that was late
			skipped = 0
		}
		r.record.due(due, skipped)
		timer.Reset(time.Until(due))
	}
}

// run does one Gather and closes it with a RunEnd. When the runner is stopped meanwhile, what was
// reported since is dropped: a probe that was cut off by us has seen nothing.
func (r *runner) run(stop context.Context, run *Run) {
	r.record.begin(run.Started)
	report := r.report(stop, run)
	deadline, done := maxGather(r.check), make(chan struct{})
	overdue := time.AfterFunc(deadline+overdueSlack, func() { // rarely more than a timer
		own := r.report(stop, run) // the run's may be holding its results
		r.tellWhile(stop, done, 0, func() {
			r.fail(own, fmt.Sprintf("the check hangs: it should have ended after %s and did not. No further run starts before it ends.", deadline))
		})
	})
	end, err := gather(stop, report)
	close(done)
	overdue.Stop()
	if err != nil {
		r.fail(report, notDone+err.Error())
	} else if r.failed.Swap(false) {
		report.Add(Event{Status: Ok, Labels: FailureLabels(r.check), Description: "the check works again"})
	}
	report.finish(end, err == nil)
	r.record.end(report.counted(), err)
}

// report makes a report whose results go to the processors until stop ends.
func (r *runner) report(stop context.Context, run *Run) *Report {
	report := NewReport(r.check, run, func(result Result) {
		if stop.Err() != nil {
			return
		}
		select {
		case r.results <- result:
		case <-stop.Done():
		}
	})
	report.recall = r.recall
	report.onPanic = func(where string, value any, stack []byte) {
		r.record.panicked()
		r.log.Error("a probe panicked; please report this", zap.String("target", where), zap.Any("panic", value), zap.ByteString("stack", stack))
	}
	return report
}

// fail reports that the check as a whole did not work.
func (r *runner) fail(report *Report, description string) {
	r.failed.Store(true)
	report.Add(Event{Labels: FailureLabels(r.check), Description: description + "\n" + whichCheck(r.check)})
}
