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

// Run returns what f costs this process and the children that end meanwhile: ms, ms-cpu, and MiB, the most resident
// memory above what there was before.
func Run(f func()) Figures {
	debug.FreeOSMemory()
	before := memory(os.Getpid(), "VmRSS:")
	resetPeak()
	cpu, begun := CPU(), time.Now()
	f()
	wall := time.Since(begun)
	return Figures{"ms": Milliseconds(wall), "ms-cpu": Milliseconds(CPU() - cpu), "MiB": memory(os.Getpid(), "VmHWM:") - before}
}

// resetPeak sets VmHWM back to what is resident (proc(5), clear_refs). Where that is not allowed the peak is that of
// all runs so far.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// Command runs a command to its end: ms, ms-cpu, and MiB, its most resident memory.
func Command(cmd *exec.Cmd) (Figures, error) {
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %.300s", cmd, err, out)
	}
	figures := Ended(cmd.ProcessState)
	figures["ms"] = Milliseconds(time.Since(begun))
	return figures, nil
}

// Ended is what a process and its own ended children cost in all: ms-cpu and MiB, the most resident memory of one (getrusage(2) on Linux, which tells KiB).
func Ended(state *os.ProcessState) Figures {
	usage := state.SysUsage().(*syscall.Rusage)
	return Figures{"ms-cpu": Milliseconds(state.UserTime() + state.SystemTime()), "MiB": float64(usage.Maxrss) / 1024}
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
