// Package command runs one command of somebody else's, and does not let it get away: it has its own
// process group, a time limit, a bound on its output, and nothing of the group survives it.
//
//	start ─► caller reads stdout ──────────────► end of output ─► reaped ─► Result
//	   └───► guard waits for the first of: exit | timeout or ctx | too much output
//	         then ends the group: SIGTERM (not after an exit), SIGKILL
package command

import (
	"context"
	"errors"
	"io"
	"time"
)

// Why a command did not come to its own end. Result.Err is one of these, the error of a failed start, or
// the cause with which the caller's context ended.
var (
	ErrTimeout = errors.New("it did not finish in time and was killed")
	ErrTooLong = errors.New("it printed more than is allowed and was killed")
	ErrUndead  = errors.New("it was killed but does not die: it hangs in the kernel, often on a dead disk or network mount")
)

const (
	// termGrace is what a command gets between SIGTERM and SIGKILL.
	termGrace = time.Second
	// killGrace is how long a killed process may take to vanish.
	killGrace = 2 * time.Second
	// lingerGrace is how long the output is waited for once the command has exited, and how long
	// processes it left behind live on.
	lingerGrace = 200 * time.Millisecond
	// stderrKept is how much of stderr is kept.
	stderrKept = 4 << 10
)

// Overtime is the most that Run takes beyond Spec.Timeout, the consumer's own time not counted.
const Overtime = termGrace + killGrace + 2*lingerGrace

// Spec says what to run. Argv must have at least one element.
type Spec struct {
	Argv      []string      // the first is a path, or a name that is looked up in the agent's PATH
	Env       []string      // the whole environment, as from Environ
	Dir       string        // where it starts; "" = where the agent runs
	User      *User         // whom it runs as; nil = as the agent does
	Timeout   time.Duration // 0 = until the context ends
	MaxOutput int64         // bytes of stdout, and of stderr, after which it is killed; 0 = no limit

	// Stdout consumes the output, in the goroutine that called Run. What it leaves unread is thrown
	// away. The reader ends with io.EOF, however the command ended, or with ErrTooLong.
	Stdout func(stdout io.Reader)
}

// Result tells how a command ended.
type Result struct {
	Err         error  // nil = it exited by itself, with whatever status
	Exit        int    // exit status, -1 when a signal ended it or it never ran
	Signal      string // the name of that signal, else ""
	Stderr      []byte // its first part, at most 4 KiB
	StderrBytes int64  // how much there was
	StdoutBytes int64
	Elapsed     time.Duration
}

// Clean reports whether the command exited by itself with status 0.
func (r *Result) Clean() bool { return r.Err == nil && r.Exit == 0 }

// Started reports whether the command ran at all.
func (r *Result) Started() bool {
	var start *startError
	return !errors.As(r.Err, &start)
}

type startError struct{ err error }

func (e *startError) Error() string { return "cannot start it: " + e.err.Error() }
func (e *startError) Unwrap() error { return e.err }

// Run runs a command and returns when it and its process group are gone, at most Overtime after the
// timeout or the end of ctx. Only processes that leave the group on purpose (setsid) can outlive it.
//
// SIGTERM comes first, SIGKILL a second later. When the command exits by itself, processes it left in
// its group are killed after lingerGrace, at once when they do not hold its output.
func Run(ctx context.Context, spec Spec) Result {
	if err := ctx.Err(); err != nil {
		return Result{Err: context.Cause(ctx), Exit: -1}
	}
	began := time.Now()
	c, err := start(spec)
	if err != nil {
		return Result{Err: &startError{err}, Exit: -1, Elapsed: time.Since(began)}
	}
	limited, cancel := withTimeout(ctx, spec.Timeout)
	defer cancel()
	c.guarded.Go(func() { c.guard(limited) })
	c.read(spec.Stdout, cancel)
	return c.result(time.Since(began))
}

func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, ErrTimeout)
}
