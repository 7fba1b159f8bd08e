package agent

import (
	"fmt"
	"sync/atomic"
	"time"

	"catpaw/pipeline"
	"catpaw/store"
)

// vitals know whether the agent does what it is for: checks run, results are decided, and what must be kept is
// kept. Who lives but does nothing must not be taken for well.
type vitals struct {
	began   time.Time
	ran     atomic.Pointer[time.Time] // the last run of the agent's own check
	decided atomic.Pointer[time.Time] // the last time that the processing goroutine answered
	checks  func() []pipeline.CheckHealth
	trouble func() *store.Trouble
}

const (
	// stuckAfter is how long nothing may move for it to count as stuck.
	stuckAfter = time.Minute
	// overdue is by how many intervals a check that is not running may be late, at least stuckAfter.
	overdue = 3
)

func note(at *atomic.Pointer[time.Time]) {
	now := time.Now()
	at.Store(&now)
}

// stuck says what does not move any more in the agent itself, nil where all does. It may be called from
// any goroutine.
func (v *vitals) stuck(now time.Time) error {
	for _, one := range []struct {
		what string
		at   *atomic.Pointer[time.Time]
	}{{"no check runs", &v.ran}, {"no result is decided", &v.decided}} {
		since := v.began
		if last := one.at.Load(); last != nil {
			since = *last
		}
		if now.Sub(since) > stuckAfter {
			return fmt.Errorf("%s, for %s", one.what, now.Sub(since).Round(time.Second))
		}
	}
	for _, check := range v.checks() {
		patience := max(stuckAfter, time.Duration(overdue*check.Interval*float64(time.Second)))
		if late := now.Sub(check.Next); !check.Running && !check.Next.IsZero() && late > patience {
			return fmt.Errorf("check %s ought to have run %s ago", check.ID, late.Round(time.Second))
		}
	}
	return nil
}

// unwell is stuck, or that nothing can be kept on disk.
func (v *vitals) unwell(now time.Time) error {
	if err := v.stuck(now); err != nil {
		return err
	}
	if trouble := v.trouble(); trouble != nil && now.Sub(trouble.Since) > stuckAfter {
		return fmt.Errorf("nothing is kept on disk, for %s: %s", now.Sub(trouble.Since).Round(time.Second), trouble.Text)
	}
	return nil
}
