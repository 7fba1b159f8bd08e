//go:build linux

package procnum

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shirou/gopsutil/v3/process"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const benchProcesses = 2000

// crowded starts as many processes as are missing to 2,000, in a child, so that they are not ours.
func crowded(b *testing.B) {
	b.Helper()
	if there := len(must(process.Pids())); there < benchProcesses {
		start(b, os.Args[0], "crowd "+strconv.Itoa(benchProcesses-there))
	}
	b.Logf("%d processes", len(must(process.Pids())))
}

// instances makes checks that share a table, each with a search of its own.
func instances(b *testing.B, n int, kinds ...string) (*Table, []*pipeline.Check) {
	table := NewTable()
	checks := make([]*pipeline.Check, n)
	for i := range checks {
		p := New(table)
		pipetest.Options(b, fmt.Sprintf("check = 'c%d'\n%s = 'some-service-%d'\nalert_if_num_lt = 1", i, kinds[i%len(kinds)], i), p)
		checks[i] = pipetest.Check(p)
	}
	return table, checks
}

// round runs every check once, as at one tick, on a new snapshot.
func round(b *testing.B, table *Table, checks []*pipeline.Check) {
	if table.last != nil {
		table.last.taken = time.Time{}
	}
	for _, check := range checks {
		if _, _, err := pipeline.Look(b.Context(), check); err != nil {
			b.Fatal(err)
		}
	}
}

// handWritten is the least that a search through /proc costs by hand: of every process the Name, the arguments and
// the link to the executable, three system calls a file, into one buffer, looked at and forgotten.
func handWritten(b *testing.B, names bool) (found int) {
	dir, err := os.Open("/proc")
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	buffer := make([]byte, 64<<10)
	for _, name := range must(dir.Readdirnames(-1)) {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		found += readByHand(int(dir.Fd()), name+"/cmdline", buffer)
		if names {
			found += readByHand(int(dir.Fd()), name+"/comm", buffer)
			n, _ := unix.Readlinkat(int(dir.Fd()), name+"/exe", buffer)
			found += max(n, 0)
		}
	}
	return found
}

func readByHand(dir int, path string, buffer []byte) int {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, _ := unix.Read(fd, buffer)
	return max(n, 0)
}

// withLibrary is the same through gopsutil.
func withLibrary(names bool) (found int) {
	pids, _ := process.PidsWithContext(context.Background())
	for _, pid := range pids {
		p := &process.Process{Pid: pid}
		args, _ := p.Cmdline()
		found += len(args)
		if names {
			name, _ := p.Name()
			exe, _ := p.Exe()
			found += len(name) + len(exe)
		}
	}
	return found
}

// BenchmarkInstances compares 100 checks over 2,000 processes with one, and with a pass through /proc that
// is written by hand; in turn, so that what else the machine does falls on all of them.
func BenchmarkInstances(b *testing.B) {
	crowded(b)
	for _, kind := range []struct {
		name  string
		kinds []string
		names bool
	}{
		{"cmdline", []string{"search_cmdline_substring"}, false},
		{"exec", []string{"search_exec_substring"}, true},
		{"both", []string{"search_exec_substring", "search_cmdline_substring"}, true},
	} {
		b.Run(kind.name, func(b *testing.B) {
			oneTable, one := instances(b, 1, kind.kinds...)
			manyTable, many := instances(b, 100, kind.kinds...)
			var ones, manys, hands, libraries []time.Duration
			for b.Loop() {
				for range 5 {
					ones = append(ones, measure.CPUOf(func() { round(b, oneTable, one) }))
					manys = append(manys, measure.CPUOf(func() { round(b, manyTable, many) }))
					hands = append(hands, measure.CPUOf(func() { handWritten(b, kind.names) }))
					libraries = append(libraries, measure.CPUOf(func() { withLibrary(kind.names) }))
				}
			}
			ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
			b.ReportMetric(ms(measure.Median(ones)), "ms-cpu/one")
			b.ReportMetric(ms(measure.Median(manys)), "ms-cpu/hundred")
			b.ReportMetric(ms(measure.Median(hands)), "ms-cpu/by-hand")
			b.ReportMetric(ms(measure.Median(libraries)), "ms-cpu/gopsutil")
			b.ReportMetric(ms(measure.Median(manys))/ms(measure.Median(ones)), "hundred-to-one(bound=1.5)")
			b.ReportMetric(ms(measure.Median(manys))/ms(measure.Median(hands)), "hundred-to-by-hand(bound=2)")
		})
	}
}
