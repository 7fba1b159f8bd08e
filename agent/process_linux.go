package agent

import (
	"bytes"
	"fmt"
	"os"
)

// markOf tells a process from any other that has or had its PID, whatever becomes of the clock: when it started, in
// ticks since the machine did, and which start of the machine that was (proc_pid_stat(5), field 22). It is empty where
// this cannot be read.
func markOf(pid int) string {
	const startTicks = 22 - 3 // the fields behind the name, which may have blanks and brackets, begin with the third
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	boot, err2 := os.ReadFile("/proc/sys/kernel/random/boot_id")
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if err != nil || err2 != nil || len(fields) <= startTicks {
		return ""
	}
	return fmt.Sprintf("%s@%s", fields[startTicks], bytes.TrimSpace(boot))
}
