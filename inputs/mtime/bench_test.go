//go:build linux

package mtime

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const benchFiles = 200_000

// grow makes a tree of 200,000 old files, so many in each directory.
func grow(b *testing.B, each int) (root string) {
	b.Helper()
	root = b.TempDir()
	old := time.Now().Add(-48 * time.Hour)
	for i := range benchFiles / each {
		dir := filepath.Join(root, fmt.Sprintf("a-directory-%06d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range each {
			name := filepath.Join(dir, fmt.Sprintf("file-%06d.log", j))
			file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				b.Fatal(err)
			}
			file.Close()
			if err := os.Chtimes(name, old, old); err != nil {
				b.Fatal(err)
			}
		}
	}
	return root
}

// used is the CPU time that this process, or its children, took until now.
func used(who int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type cost struct{ cpu, wall []time.Duration }

func (c *cost) of(who int, f func()) {
	cpu, begun := used(who), time.Now()
	f()
	c.cpu, c.wall = append(c.cpu, used(who)-cpu), append(c.wall, time.Since(begun))
}

// best is the shortest: what else runs on the machine only ever adds, and to a walk of several workers
// more than to find's one.
func best(values []time.Duration) float64 { return slices.Min(values).Seconds() }

// BenchmarkWalk compares one Gather over 200,000 files, their inodes in the cache, with find(1) that asks
// the same, in turn.
func BenchmarkWalk(b *testing.B) {
	for _, shape := range []struct {
		name string
		each int
	}{
		{"2000 directories", 100},
		{"one directory", benchFiles},
		{"50000 directories", 4},
	} {
		b.Run(shape.name, func(b *testing.B) {
			root := grow(b, shape.each)
			p := New()
			pipetest.Options(b, fmt.Sprintf("directory = %q\ncheck = \"bench\"", root), p)
			check := pipetest.Check(p)
			b.ResetTimer()
			var find, probe cost
			const rounds = 9
			for b.Loop() {
				for range rounds {
					find.of(syscall.RUSAGE_CHILDREN, func() {
						out, err := exec.CommandContext(b.Context(), "find", root, "-type", "f", "-newermt", "3 minutes ago").CombinedOutput()
						if err != nil || len(out) > 0 {
							b.Fatalf("find: %v\n%.200s", err, out)
						}
					})
					probe.of(syscall.RUSAGE_SELF, func() { wantAllSeen(b, check) })
				}
			}
			b.ReportMetric(best(probe.wall)/best(find.wall), "wall-ratio(bound=0.8)")
			b.ReportMetric(best(probe.cpu)/best(find.cpu), "cpu-ratio")
			b.ReportMetric(benchFiles/best(probe.wall), "files/s")
			b.ReportMetric(benchFiles/best(find.wall), "files/s-find")
			b.ReportMetric(peak(b, func() { wantAllSeen(b, check) }), "MiB-above-idle(bound=10)")
		})
	}
}

func wantAllSeen(b *testing.B, check *pipeline.Check) {
	events, _, err := pipeline.Look(context.Background(), check)
	if err != nil || len(events) != 1 || events[0].Status != pipeline.Ok || events[0].Attrs[0].Value != benchFiles {
		b.Fatalf("%v %v", events, err)
	}
}

// peak is how much the resident memory of this process rose at most while f ran.
func peak(b *testing.B, f func()) float64 {
	debug.FreeOSMemory()
	before := resident(b, "VmRSS:")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // sets VmHWM back
		b.Skipf("peak memory cannot be measured: %v", err)
	}
	f()
	return (resident(b, "VmHWM:") - before) / 1024
}

func resident(b *testing.B, name string) (kib float64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(status) {
		if fields := bytes.Fields(line); len(fields) == 3 && string(fields[0]) == name {
			kib, err = strconv.ParseFloat(string(fields[1]), 64)
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	return kib
}
