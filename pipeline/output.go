package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Output is a sink. Its struct holds the options, tagged for TOML, with defaults set by the
// constructor. Write is called by up to `concurrency` goroutines at once.
type Output interface {
	// Init judges the options and prepares what needs no network, once. Errors as for Input.Init. A
	// sink that is down is no error here.
	Init() error

	// BatchSize is the most messages that one Write takes. It is constant after Init.
	BatchSize() int

	// Write sends the messages and returns a verdict on each: nil = the sink has it, Refused = the sink
	// will never take it, anything else = try again, after the time that RetryAfter names where it
	// does. A nil slice means that all were delivered. Write must not retry by itself, must return
	// soon after ctx ends, and must keep secrets out of its errors. Messages belong to the caller.
	Write(ctx context.Context, batch []*Message) []error

	// Close lets go of connections. No Write is running or follows.
	Close() error
}

// Verdict gives every one of n messages the same verdict.
func Verdict(n int, err error) []error {
	if err == nil {
		return nil
	}
	verdicts := make([]error, n)
	for i := range verdicts {
		verdicts[i] = err
	}
	return verdicts
}

type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// Refused marks a verdict as final: this payload will never do.
func Refused(err error) error { return &refusedError{err} }

// Refusedf is Refused with a message made as by fmt.Errorf.
func Refusedf(format string, args ...any) error { return Refused(fmt.Errorf(format, args...)) }

// IsRefused reports whether a verdict is final.
func IsRefused(err error) bool {
	var refused *refusedError
	return errors.As(err, &refused)
}

type retryError struct {
	err   error
	after time.Duration
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// RetryAfter marks a verdict "try again" with the least time to wait, as the sink asked.
func RetryAfter(err error, after time.Duration) error { return &retryError{err, after} }

// Paced is the verdict of an output that made no try, since its own rate limit allows the next one only
// after a while. It is no failure of the sink.
func Paced(after time.Duration) error { return &retryError{errPaced, after} }

var errPaced = errors.New("its rate limit is used up for the moment: the event waits")

// IsPaced reports whether a verdict is Paced.
func IsPaced(err error) bool { return errors.Is(err, errPaced) }

// RetryDelay returns the wait that a verdict asks for, or 0.
func RetryDelay(err error) time.Duration {
	var retry *retryError
	if errors.As(err, &retry) {
		return retry.after
	}
	return 0
}

// Terse is an Output whose reader needs only the newest of what could not be delivered for more than a
// minute: after a night's outage nobody wants to read a hundred repeats of one alert.
type Terse interface {
	Terse() bool
}

// AllOrNone is an Output whose Write gives an error to all of its messages, whichever of them it is for. Others know of each.
type AllOrNone interface {
	AllOrNone() bool
}

// Mindful is an Output that must know which alerts are open, beside hearing of their changes. After it was started,
// Remind is called with how to ask for those that it was told of, in the order of their keys. That may be asked from
// any goroutine, but not before Remind has returned.
type Mindful interface {
	Remind(open func() []*Event)
}

// Watcher is an Output that can tell that its reader has left before it has anything to write.
type Watcher interface {
	// Watch returns ErrReaderGone when the reader has left, or nil when ctx ends or nobody can tell.
	Watch(ctx context.Context) error
}

// ErrReaderGone is the verdict of an output whose reader has closed the pipe for good, as `head` does.
// The agent stops on it, as any program in a pipe would.
var ErrReaderGone = errors.New("the reader of standard output is gone")
