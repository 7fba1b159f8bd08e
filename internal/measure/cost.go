//go:build unix

package measure

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Run returns what f costs this process and the children that end meanwhile: ms, ms-cpu, and, where there is a /proc,
// MiB-added, the most resident memory of this process above what there was before.
func Run(f func()) Figures {
	debug.FreeOSMemory()
	before, _ := memory(os.Getpid(), "VmRSS:")
	resetPeak()
	cpu, begun := CPU(), time.Now()
	f()
	figures := Figures{"ms": Milliseconds(time.Since(begun)), "ms-cpu": Milliseconds(CPU() - cpu)}
	if peak, err := memory(os.Getpid(), "VmHWM:"); err == nil {
		figures["MiB-added"] = peak - before
	}
	return figures
}

// resetPeak sets VmHWM back to what is resident (proc(5), clear_refs). Where that is not allowed the peak is that of
// all runs so far.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// Command runs a command to its end: ms and ms-cpu, as Wait has it.
func Command(cmd *exec.Cmd) (Figures, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	figures, err := Wait(cmd)
	if err != nil {
		return nil, fmt.Errorf("%w: %.300s", err, out.Bytes())
	}
	figures["ms"] = Milliseconds(time.Since(begun))
	return figures, nil
}

// Wait waits for a process to end and returns what it cost, with its own ended children: ms-cpu. Its memory is not told:
// what getrusage(2) has as ru_maxrss begins with that of the process that started it, which Linux carries over exec.
func Wait(cmd *exec.Cmd) (Figures, error) {
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	return Figures{"ms-cpu": Milliseconds(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())}, nil
}

// End ends a process as a service manager does and returns what it cost in all: ms-cpu, and MiB, its most resident
// memory until it was asked to end; of a process that has ended nobody tells it.
func End(cmd *exec.Cmd) (Figures, error) {
	peak, err := memory(cmd.Process.Pid, "VmHWM:")
	if err == nil {
		err = cmd.Process.Signal(os.Interrupt)
	}
	if err != nil {
		return nil, err
	}
	figures, err := Wait(cmd)
	if err != nil {
		return nil, err
	}
	figures["MiB"] = peak
	return figures, nil
}

// CPU is the time, user and system, that this process and its ended children have used.
func CPU() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err == nil {
			sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		}
	}
	return sum
}

// Resident is the memory that a process holds, in MiB. One that has ended fails the test: with 0 any bound would hold.
func Resident(t testing.TB, pid int) float64 {
	t.Helper()
	mib, err := memory(pid, "VmRSS:")
	if err != nil {
		t.Fatal(err)
	}
	return mib
}

// memory is what proc(5) tells of a process under a name, in MiB.
func memory(pid int, name string) (mib float64, err error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	status, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[0] == name {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("%s tells no %s it is of a process that has ended", path, name)
}

// CPUOf is the processor time of another process so far, to 10 ms (proc(5), stat). One that has ended fails the test.
func CPUOf(t testing.TB, pid int) (sum time.Duration) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	const user, system, tick = 11, 12, 10 * time.Millisecond // fields behind the name
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, field := range []int{user, system} {
		ticks, err := strconv.Atoi(fields[field])
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum
}
