//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"catpaw/internal/measure"
)

// BenchmarkLiveAlerts starts on a million open alerts, at 16 times of its size, and on none, and compares the time from
// exec to the first probe and the memory afterwards.
func BenchmarkLiveAlerts(b *testing.B) {
	binary, target := binaryOf(b), newTarget(b)
	const settled = 5 * time.Second // after the start
	measure.Grow(b, 62_500, func(b *testing.B, n int) {
		probe := checksOf(target, 1)
		full := withAlerts(b, binary, n, probe)
		restart := func(dir string) measure.Figures {
			first := target.after(1)
			begun := time.Now()
			cmd := runBinary(b, binary, dir, nil, idle...)
			defer end(cmd)
			wait(b, "the first probe", first)
			took := time.Since(begun)
			time.Sleep(settled)
			return measure.Figures{"ms": measure.Milliseconds(took), "MiB": measure.Resident(cmd.Process.Pid)}
		}
		empty := configured(b, map[string]string{"p.net/a.toml": probe})
		measure.Compare(b,
			func() measure.Figures {
				figures := restart(copyOf(b, full))
				figures["B/alert"] = (figures["MiB"] - restart(empty)["MiB"]) * (1 << 20) / float64(n)
				return figures
			},
			func() measure.Figures { return restart(empty) })
	})
}

// withAlerts is a configuration with a state directory of so many open alerts, which all have been told.
func withAlerts(b *testing.B, binary string, n int, probe string) (dir string) {
	b.Helper()
	dir = printing(b, n, n, "[[outputs.stdout]]\n"+unbounded)
	if err := os.WriteFile(filepath.Join(dir, "p.net/a.toml"), []byte(probe), 0o644); err != nil {
		b.Fatal(err)
	}
	cmd, r := piped(b, binary, dir)
	readLines(b, r, n)
	stop(b, cmd)
	return dir
}
