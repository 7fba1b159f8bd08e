//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"catpaw/internal/measure"
)

// BenchmarkStart compares the time from exec until the first probe is seen by its target with that from exec to exit of
// a Go program that opens the same store.
func BenchmarkStart(b *testing.B) {
	binary, opens, target := binaryOf(b), built(b, "./testdata/openbolt"), newTarget(b)
	for _, checks := range []int{1, 1000} {
		b.Run(fmt.Sprint(checks), func(b *testing.B) {
			measure.Grow(b, checks, func(b *testing.B, n int) {
				dir := configured(b, map[string]string{"p.net/a.toml": checksOf(target, n)})
				started(b, binary, dir, target, n) // the store is there
				measure.Compare(b,
					func() measure.Figures { return started(b, binary, dir, target, n) },
					func() measure.Figures {
						figures, err := measure.Command(exec.Command(opens, filepath.Join(dir, "../state.d/catpaw.db")))
						if err != nil {
							b.Fatal(err)
						}
						return figures
					})
			})
		})
	}
}

// started is how long it takes until one probe was seen, and until all were, and what the whole run cost.
func started(b *testing.B, binary, dir string, t *target, checks int) measure.Figures {
	b.Helper()
	first, all := t.after(1), t.after(checks)
	begun := time.Now()
	cmd := runBinary(b, binary, dir, nil)
	wait(b, "the first probe", first)
	took := time.Since(begun)
	wait(b, "all probes", all)
	tookAll := time.Since(begun)
	figures := stop(b, cmd)
	figures["ms"], figures["ms-all"] = measure.Milliseconds(took), measure.Milliseconds(tookAll)
	return figures
}

// BenchmarkResident tells the memory of an agent that has little to tell: as it ships, and with 1,000 TCP checks each
// 10 s after two rounds of them; of these also the goroutines between the runs, and what a run of a check allocates.
func BenchmarkResident(b *testing.B) {
	binary := binaryOf(b)
	b.Run("Shipped", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "c")
		if err := os.CopyFS(dir, os.DirFS("../../conf.d")); err != nil {
			b.Fatal(err)
		}
		measure.Report(b, func() measure.Figures {
			cmd := runBinary(b, binary, dir, nil)
			defer end(cmd)
			time.Sleep(10 * time.Second)
			return atRest(b, cmd.Process.Pid)
		})
	})
	b.Run("Checks", func(b *testing.B) {
		target := newTarget(b)
		measure.Grow(b, 1000, func(b *testing.B, n int) {
			dir := configured(b, map[string]string{"p.net/a.toml": checksOf(target, n)})
			measure.Report(b, func() measure.Figures {
				cmd := runBinary(b, binary, dir, nil)
				defer end(cmd)
				wait(b, "two rounds", target.after(2*n))
				before := measure.CPUOf(b, cmd.Process.Pid)
				wait(b, "another round", target.after(n))
				figures := atRest(b, cmd.Process.Pid)
				figures["ms-cpu"] = measure.Milliseconds(measure.CPUOf(b, cmd.Process.Pid) - before)
				addAllocations(b, figures, dir, target, n) // last, for to be asked takes memory
				return figures
			})
		})
	})
}

// addAllocations adds what a run allocates on the average of a round, and the goroutines between runs: the least that
// are seen. Every run is a connection to the target, so nobody has to ask for a status, which would allocate for each check.
func addAllocations(b *testing.B, figures measure.Figures, dir string, t *target, checks int) {
	b.Helper()
	first := allocated(b, dir)
	begun := allocated(b, dir)
	asking := begun.less(first)
	before := t.came.Load()
	wait(b, "a round that is counted", t.after(checks))
	round := allocated(b, dir).less(begun).less(asking)
	runs := float64(t.came.Load() - before)
	figures["allocs/run"], figures["B/run"] = round.number/runs, round.bytes/runs
	figures["goroutines"] = goroutines(b, dir)
	for range 10 {
		time.Sleep(50 * time.Millisecond)
		figures["goroutines"] = min(figures["goroutines"], goroutines(b, dir))
	}
}

// atRest is the memory of a process, its open files, sockets among them, and its threads.
func atRest(t testing.TB, pid int) measure.Figures {
	t.Helper()
	count := func(what string) float64 {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", pid, what))
		if err != nil {
			t.Fatal(err)
		}
		return float64(len(entries))
	}
	return measure.Figures{"MiB": measure.Resident(t, pid), "files": count("fd"), "threads": count("task")}
}

// BenchmarkBinary tells the size of the program.
func BenchmarkBinary(b *testing.B) {
	info, err := os.Stat(binaryOf(b))
	if err != nil {
		b.Fatal(err)
	}
	measure.Report(b, func() measure.Figures { return measure.Figures{"MiB-file": float64(info.Size()) / (1 << 20)} })
}
