//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"

	"catpaw/internal/measure"
)

// BenchmarkFanOut compares the CPU of telling five outputs of every event with that of telling one:
// deciding, encoding and keeping the alert are done once, only the row, its reading and its sending are not.
// Without batches nearly all there is to do is HTTP, five times.
func BenchmarkFanOut(b *testing.B) {
	binary := binaryOf(b)
	for name, options := range map[string]string{"Batches": "batch = 1000", "Each": ""} {
		b.Run(name, func(b *testing.B) {
			measure.Compare(b,
				func() measure.Figures { return fanOut(b, binary, 5, options) },
				func() measure.Figures { return fanOut(b, binary, 1, options) })
		})
	}
}

// fanOut is the cost of a run to so many webhooks.
func fanOut(b *testing.B, binary string, outputs int, options string) measure.Figures {
	b.Helper()
	const events = 3 * burst
	sink := newCounting(b, events*outputs, 0)
	var config strings.Builder
	for i := range outputs {
		fmt.Fprintf(&config, "[[outputs.webhook]]\nname = 'w%d'\nurl = %q\n%s\n", i, sink.url, options)
	}
	cmd := runBinary(b, binary, printing(b, events, events, config.String()), nil)
	wait(b, "all sinks have all", sink.all)
	return stop(b, cmd)
}
