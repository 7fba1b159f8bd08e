//go:build linux

package procnum

import (
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

// BenchmarkInstances compares 100 checks over 2,000 processes with a pass through /proc that is written by hand.
func BenchmarkInstances(b *testing.B) {
	for _, kind := range []struct {
		name  string
		kinds []string
		names bool
	}{
		{"Cmdline", []string{"search_cmdline_substring"}, false},
		{"Both", []string{"search_exec_substring", "search_cmdline_substring"}, true},
	} {
		b.Run(kind.name, func(b *testing.B) {
			measure.Grow(b, 100, func(b *testing.B, n int) {
				crowded(b)
				table, checks := instances(b, n, kind.kinds...)
				measure.Compare(b,
					func() measure.Figures { return measure.Run(func() { round(b, table, checks) }) },
					func() measure.Figures { return measure.Run(func() { handWritten(b, kind.names) }) })
			})
		})
	}
}
