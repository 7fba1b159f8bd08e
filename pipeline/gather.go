package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	defaultMaxGather = time.Minute
	// deadlineSlack is what a Gather gets on top of its own worst case before it is cut off.
	deadlineSlack = 2 * time.Second
)

// maxGather is the deadline of one run.
func maxGather(check *Check) time.Duration {
	if bounded, ok := check.Input.(Bounded); ok {
		return bounded.MaxGather() + deadlineSlack
	}
	return defaultMaxGather + deadlineSlack
}

// gather runs the probe once, with its deadline, and catches its panics.
func gather(ctx context.Context, report *Report) (end RunEnd, err error) {
	deadline := maxGather(report.run.Check)
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	defer func() {
		if value, stack := caught(recover()); value != nil {
			report.panicked("", value, stack)
			err = fmt.Errorf("the probe panicked: %v. This is a fault of catpaw: its log has the stack, please report it", value)
		}
		end = RunEnd{Well: err == nil, Incomplete: report.incomplete}
	}()
	err = report.run.Check.Input.Gather(ctx, report)
	if err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("it was cut off at its deadline of %s", deadline)
	}
	return end, err
}

// FailureLabels are the own labels of the result that tells that a check could not do its work.
func FailureLabels(check *Check) Labels {
	return L("check", "catpaw check failed", "instance", check.ID)
}

// Panic is what a probe panics with that hands on a panic of one of its goroutines.
type Panic struct {
	Value any
	Stack []byte
}

// caught is what was recovered, and the stack that led to it.
func caught(value any) (any, []byte) {
	switch handed, ok := value.(Panic); {
	case value == nil: // as nearly always: a stack would be a twentieth of what a TCP target costs
		return nil, nil
	case ok:
		return handed.Value, handed.Stack
	}
	return value, debug.Stack()
}

const notDone = "the check could not do its work: "

// FailureText tells that a check could not do its work, and which check it is.
func FailureText(check *Check, err error) string {
	return notDone + err.Error() + "\n" + whichCheck(check)
}

// whichCheck names a check by the alerts it raises, as far as it has few, and by its place in the
// configuration.
func whichCheck(check *Check) string {
	const few = 3
	var names []string
	if keyed, ok := check.Input.(Keyed); ok {
		for _, own := range keyed.Keys() {
			if name := own.Get("check"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	what := check.Plugin
	if len(names) > 0 && len(names) <= few {
		what += " (" + strings.Join(names, ", ") + ")"
	}
	return "It is " + what + ", configured at " + check.Source + "."
}

// Look runs a check once, outside any pipeline, and returns what it reported, in the order in which it
// came. The error is that of the probe, or of its deadline, or of a panic in it.
func Look(ctx context.Context, check *Check) ([]*Event, RunEnd, error) {
	events, end, _, err := LookAgain(ctx, check, nil)
	return events, end, err
}

// LookAgain is Look at a check that remembers: memo is what it remembers from before, and it returns
// what it remembers from now on, which is the same memo where it learnt nothing or the run went wrong.
func LookAgain(ctx context.Context, check *Check, memo []byte) ([]*Event, RunEnd, []byte, error) {
	var mu sync.Mutex
	var events []*Event
	report := NewReport(&Run{Check: check, Started: time.Now()}, func(results []Result) {
		mu.Lock()
		defer mu.Unlock()
		for _, one := range results {
			if one.Event != nil {
				events = append(events, one.Event)
			} else if one.End.Memo != nil {
				memo = one.End.Memo
			}
		}
	})
	before := memo
	report.recall = func(string) []byte { return before }
	end, err := gather(ctx, report)
	report.finish(end, err == nil)
	mu.Lock()
	defer mu.Unlock()
	return events, end, memo, err
}
