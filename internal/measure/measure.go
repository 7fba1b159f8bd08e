// Package measure is what benchmarks share that set the cost of something beside that of its comparison, in one run.
package measure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// Figures are what one run gave, by unit: "ms" on the wall, "ms-cpu" of processor time, user and system, "MiB" of
// a process's resident memory, "MiB-added" of what a run adds to it, "events/s" and so on.
type Figures map[string]float64

// Bare is the suffix of the unit of a comparison's figure.
const Bare = "/bare"

// Scale is a size, in times of the one that a bound is for.
type Scale int

// Scales are those at which the growth of a cost is looked at, from the smallest to the largest.
var Scales = []Scale{1, 4, 16}

// String is the name of the sub-benchmark at this size.
func (s Scale) String() string { return fmt.Sprintf("x%d", int(s)) }

// Grow runs a benchmark at each of the Scales of its size.
func Grow(b *testing.B, size int, run func(b *testing.B, n int)) {
	for _, scale := range Scales {
		b.Run(scale.String(), func(b *testing.B) { run(b, int(scale)*size) })
	}
}

// Compare runs both sides in turn, as often as the benchmark is to loop (-benchtime 5x), so that what else the machine
// does falls on both, and reports the median of each figure, the comparison's with the suffix Bare. Now the one is first
// and now the other, ours the more often: who comes second finds the caches warm.
func Compare(b *testing.B, ours, bare func() Figures) {
	b.Helper()
	all := map[string][]float64{}
	add := func(figures Figures, suffix string) {
		for unit, value := range figures {
			all[unit+suffix] = append(all[unit+suffix], value)
		}
	}
	sides := []func(){func() { add(ours(), "") }}
	if bare != nil {
		sides = append(sides, func() { add(bare(), Bare) })
	}
	for b.Loop() {
		for _, side := range sides {
			side()
		}
		slices.Reverse(sides)
	}
	for _, unit := range slices.Sorted(maps.Keys(all)) {
		b.ReportMetric(Median(all[unit]), unit)
	}
	b.ReportMetric(0, "ns/op") // it would be of both, and of what is measured beside
}

// Report is Compare without a comparison.
func Report(b *testing.B, ours func() Figures) {
	b.Helper()
	Compare(b, ours, nil)
}

// Median returns the middle one of the values, which it sorts.
func Median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// Milliseconds is a duration as a figure.
func Milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
