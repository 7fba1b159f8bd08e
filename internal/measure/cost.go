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
	"time"
)

// What /proc tells is 0 where there is none.

// Run returns what f costs this process and the children that end meanwhile: ms, ms-cpu, and MiB-added, the most resident
// memory of this process above what there was before.
func Run(f func()) Figures {
	debug.FreeOSMemory()
	before := memory(os.Getpid(), "VmRSS:")
	resetPeak()
	cpu, begun := CPU(), time.Now()
	f()
	wall := time.Since(begun)
	return Figures{"ms": Milliseconds(wall), "ms-cpu": Milliseconds(CPU() - cpu), "MiB-added": memory(os.Getpid(), "VmHWM:") - before}
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
	peak := memory(cmd.Process.Pid, "VmHWM:")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
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

// Resident is the memory that a process holds, in MiB; 0 where there is none such.
func Resident(pid int) float64 { return memory(pid, "VmRSS:") }

func memory(pid int, name string) (mib float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range bytes.Lines(status) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[0] == name {
			kib, _ := strconv.ParseFloat(fields[1], 64)
			return kib / 1024
		}
	}
	return 0
}

// CPUOf is the processor time of another process so far, to 10 ms (proc(5), stat).
func CPUOf(pid int) (sum time.Duration) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	const user, system, tick = 11, 12, 10 * time.Millisecond // fields behind the name
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, field := range []int{user, system} {
		if field < len(fields) {
			ticks, _ := strconv.Atoi(fields[field])
			sum += time.Duration(ticks) * tick
		}
	}
	return sum
}
