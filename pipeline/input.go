package pipeline

import (
	"context"
	"time"
)

// Input is a probe: it looks at something on this host or from it. Its struct holds the options,
// tagged for TOML, with defaults set by the constructor. One value serves one check.
type Input interface {
	// Init judges the options, once, before anything runs. It has no side effects (catpaw check calls
	// it too) and returns every fault it finds: config.Field names the option, errors.Join joins them.
	Init() error

	// Gather looks once and reports a result for everything it looked at, Ok included. The context
	// ends at the check's deadline and when the agent stops. Gather is never called twice at a time;
	// a panic is caught. An error means that the check as a whole could not do its work: it becomes a
	// bad result of its own, and no alert of the check is taken to be over.
	Gather(ctx context.Context, r *Report) error
}

// Bounded is an Input that knows how long one Gather may take at worst; others get a minute.
type Bounded interface {
	MaxGather() time.Duration
}

// Keyed is an Input that knows beforehand which alerts it can raise: the labels it will give to each.
// Two checks that would share an alert key are then found when the configuration is read, and
// catpaw check can show what would be looked at.
type Keyed interface {
	Keys() []Labels
}

// Warner is an Input that finds something in its options odd, but not wrong. It is asked after Init.
type Warner interface {
	Warnings() []string
}

// Idler is an Input whose options may name nothing to look at, as in samples that wait to be filled in.
// That is no fault: such a check does not run, catpaw check and status show why, and a warning says so, except of
// NoTargets. It is asked before Init.
type Idler interface {
	// Idle returns what is missing, as in "command is empty", or "" where there is something to do.
	Idle() string
}

// NoTargets is why an Idler with an empty list is idle. That is how the samples of the shipped configuration wait, with
// which a first start must not warn.
const NoTargets = "targets is empty"

// IdleWithout is the Idle of an input that looks at these targets.
func IdleWithout(targets []string) string {
	if len(targets) == 0 {
		return NoTargets
	}
	return ""
}

// MaxConcurrency is the most that an input's option concurrency may be.
const MaxConcurrency = 10_000

// Rounds is how long n things take at worst, so many at once, each for as long; at most a year, which
// is as good as for ever.
func Rounds(n, concurrency int, each time.Duration) time.Duration {
	const year = 365 * 24 * time.Hour
	if n == 0 || concurrency < 1 || each <= 0 {
		return 0
	}
	rounds := time.Duration((n-1)/concurrency + 1)
	if each > year/rounds {
		return year
	}
	return rounds * each
}
