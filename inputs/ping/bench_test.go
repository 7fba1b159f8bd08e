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

// BenchmarkTargets pings 1,000 addresses three times each, unprivileged, all at a time, beside fping, which sends one packet
// after the other. Not one may be lost in any run.
func BenchmarkTargets(b *testing.B) {
	measure.Grow(b, 1000, func(b *testing.B, n int) {
		targets := addresses(b, n)
		p := options(b, fmt.Sprintf("count = 3\nconcurrency = %d", min(n, pipeline.MaxConcurrency)), targets...)
		allow(b, p, false)
		check := pipetest.Check(p)
		measure.Compare(b,
			func() (figures measure.Figures) {
				lost := 0
				figures = measure.Run(func() { lost = losses(b, check, n) })
				figures["lost"] = float64(lost)
				if lost > 0 {
					b.Errorf("%d packets did not come back", lost)
				}
				figures["ms-over"] = figures["ms"] - measure.Milliseconds(time.Duration(p.Count)*p.PingInterval.Std())
				return figures
			},
			func() measure.Figures {
				fping := exec.CommandContext(b.Context(), "fping", "-q", "-i", "1", "-c", "3", "-p", "1000")
				fping.Stdin = strings.NewReader(strings.Join(targets, "\n"))
				figures, err := measure.Command(fping)
				if err != nil {
					b.Skip(err)
				}
				return figures
			})
	})
}

// losses pings once and counts the packets that did not come back.
func losses(b *testing.B, check *pipeline.Check, n int) (lost int) {
	events, _, err := pipeline.Look(b.Context(), check)
	if err != nil || len(events) != n {
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
