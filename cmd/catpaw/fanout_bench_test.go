package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkFanOut compares the CPU of telling five outputs of every event with that of telling one:
// deciding, encoding and keeping the alert are done once, only the row, its reading and its sending are not.
// Without batches nearly all there is to do is HTTP, five times; that ratio stands beside, without a bound.
func BenchmarkFanOut(b *testing.B) {
	binary := binaryOf(b)
	for b.Loop() {
		five, one := fanOutCPU(b, binary, 5, "batch = 1000"), fanOutCPU(b, binary, 1, "batch = 1000")
		b.ReportMetric(one*1e6, "µs-cpu/event-one")
		b.ReportMetric(five*1e6, "µs-cpu/event-five")
		b.ReportMetric(five/one, "cpu-ratio(bound=2.5)")
		b.ReportMetric(fanOutCPU(b, binary, 5, "")/fanOutCPU(b, binary, 1, ""), "cpu-ratio-a-post-each")
	}
}

// fanOutCPU is the CPU seconds for each event of a run, the middle of three, to so many webhooks.
func fanOutCPU(b *testing.B, binary string, outputs int, options string) float64 {
	b.Helper()
	const events = 3 * burst
	return middle(3, func() float64 {
		sink := newCounting(b, events*outputs, 0)
		var config strings.Builder
		for i := range outputs {
			fmt.Fprintf(&config, "[[outputs.webhook]]\nname = 'w%d'\nurl = %q\n%s\n", i, sink.url, options)
		}
		cmd := runBinary(b, binary, printing(b, events, config.String()), nil)
		wait(b, "all sinks have all", sink.all)
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() / events
	})
}
