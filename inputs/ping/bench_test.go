//go:build unix

package ping

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const benchTargets = 1000

// BenchmarkTargets pings 1,000 addresses three times each, unprivileged, at several concurrencies, in turn
// with fping doing the same where that is installed. No packet may be lost.
func BenchmarkTargets(b *testing.B) {
	targets := addresses(b, benchTargets)
	for _, concurrency := range []int{100, 1000, pipeline.MaxConcurrency} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			p := options(b, fmt.Sprintf("count = 3\nconcurrency = %d", concurrency), targets...)
			allow(b, p, false)
			check := pipetest.Check(p)
			var cpu, wall, others []time.Duration
			lost := 0
			for b.Loop() {
				for range 3 {
					c, w := measure.Spent(func() { lost += losses(b, check) })
					cpu, wall = append(cpu, c), append(wall, w)
					if other := fping(b, targets); other > 0 {
						others = append(others, other)
					}
				}
			}
			b.ReportMetric(float64(lost), "lost(bound=0)")
			b.ReportMetric(measure.Median(cpu).Seconds()*1e6/benchTargets, "µs-cpu/target")
			if concurrency >= benchTargets {
				limit := 1.2*float64(p.Count)*p.PingInterval.Std().Seconds() + 0.5
				b.ReportMetric(measure.Median(wall).Seconds()/limit, "wall-ratio(bound=1)")
			}
			if len(others) > 0 {
				b.ReportMetric(float64(measure.Median(cpu))/float64(measure.Median(others)), "cpu-ratio-to-fping")
			}
		})
	}
}

// losses pings once and counts the packets that did not come back.
func losses(b *testing.B, check *pipeline.Check) (lost int) {
	events, _, err := pipeline.Look(b.Context(), check)
	if err != nil || len(events) != benchTargets {
		b.Fatalf("%d events, %v", len(events), err)
	}
	for _, e := range events {
		if len(e.Attrs) == 0 {
			b.Fatal(e.Description)
		}
		lost += 3 - e.Attrs[1].Value.(int)
	}
	return lost
}

// fping returns the CPU that fping takes for the same packets, one a millisecond; 0 where there is none.
func fping(b *testing.B, targets []string) time.Duration {
	path, err := exec.LookPath("fping")
	if err != nil {
		return 0
	}
	cmd := exec.CommandContext(b.Context(), path, "-q", "-i", "1", "-c", "3", "-p", "1000")
	cmd.Stdin = strings.NewReader(strings.Join(targets, "\n"))
	if output, err := cmd.CombinedOutput(); err != nil {
		b.Logf("fping: %v: %.200s", err, output)
		return 0
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
