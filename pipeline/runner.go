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
	log     *zap.Logger
	cancel  context.CancelFunc
	done    chan struct{}
	skipped atomic.Int64
	failed  atomic.Bool // the last run could not do its work
}

// startRunner starts a check. Where it replaces a runner, it begins when that one has ended.
func startRunner(s *scheduler, check *Check, delay time.Duration, previous *runner) *runner {
	ctx, cancel := context.WithCancel(s.ctx)
	r := &runner{
		check: check, results: s.results, cancel: cancel, done: make(chan struct{}),
		log: s.log.WithLazy(zap.String("check", check.ID), zap.String("at", check.Source)),
	}
	s.running.Go(func() {
		defer close(r.done)
		if previous != nil {
			<-previous.done
		}
		r.loop(ctx, delay)
	})
	return r
}

func (r *runner) loop(ctx context.Context, delay time.Duration) {
	due := time.Now().Add(delay)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for seq := uint64(1); ; seq++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		run := &Run{Seq: seq, Started: time.Now()}
		// A timer this late means that the process was stopped or the machine asleep: nobody looked.
		if late := run.Started.Sub(due); late > r.check.Interval {
			run.Unseen = late
		}
		// In a goroutine of its own, whose stack, grown by the probe, goes with it: a thousand TCP checks
		// between two ticks are 20.3 MiB resident so, 21.6 MiB otherwise.
		var gather sync.WaitGroup
		gather.Go(func() { r.run(ctx, run) })
		gather.Wait()
		var skipped int
		if due, skipped = nextTick(due, time.Now(), r.check.Interval); skipped > 0 {
			r.skipped.Add(int64(skipped))
			r.log.Debug("the check took longer than its interval; ticks were skipped", zap.Int("ticks", skipped))
		}
		timer.Reset(time.Until(due))
	}
}

// run does one Gather and closes it with a RunEnd. When the runner is stopped meanwhile, what was
// reported since is dropped: a probe that was cut off by us has seen nothing.
func (r *runner) run(stop context.Context, run *Run) {
	send := func(result Result) {
		if stop.Err() != nil {
			return
		}
		select {
		case r.results <- result:
		case <-stop.Done():
		}
	}
	report := NewReport(r.check, run, send)
	report.onPanic = func(where string, value any, stack []byte) {
		r.log.Error("a probe panicked; please report this", zap.String("target", where), zap.Any("panic", value), zap.ByteString("stack", stack))
	}
	deadline := maxGather(r.check)
	overdue := time.AfterFunc(deadline+overdueSlack, func() {
		r.fail(report, fmt.Sprintf("the check hangs: it should have ended after %s and did not. No further run starts before it ends.", deadline))
	})
	end, err := gather(stop, report)
	overdue.Stop()
	if err != nil {
		r.fail(report, "the check could not do its work: "+err.Error())
	} else if r.failed.Swap(false) {
		report.Add(Event{Status: Ok, Labels: FailureLabels(r.check), Description: "the check works again"})
	}
	send(Result{Check: r.check, Run: run, End: &end})
}

// fail reports that the check as a whole did not work.
func (r *runner) fail(report *Report, description string) {
	r.failed.Store(true)
	report.Add(Event{Labels: FailureLabels(r.check), Description: description + "\nIt is configured at " + r.check.Source + "."})
}
