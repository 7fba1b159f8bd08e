// Package measure is what benchmarks share that compare costs within one run.
package measure

import (
	"cmp"
	"slices"
	"time"
)

// Median returns the middle one of the values, which it sorts.
func Median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// Spent returns what f took: CPU time of this process and of the children that ended meanwhile, user and
// system together, and time on the wall. Where the system does not tell, CPU is 0.
func Spent(f func()) (cpu, wall time.Duration) {
	before, begun := CPU(), time.Now()
	f()
	return CPU() - before, time.Since(begun)
}

// CPUOf is the CPU time of Spent.
func CPUOf(f func()) time.Duration {
	cpu, _ := Spent(f)
	return cpu
}
