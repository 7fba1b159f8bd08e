package agent

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetPages gives back the memory of files that are mapped to be read: the program's own code and tables, of which
// its start needs nearly all and the time after that a third, and the store, which is read as a whole once. The kernel
// keeps them cached while it has room; what is needed again costs half a microsecond a page.
//
// With 1,000 checks 16.7 MiB are resident so and 20.7 MiB otherwise, 20 s after the start.
func forgetPages() {
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, region := range unwritten(string(smaps)) { // an error would only mean that nothing is saved
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, region.from, region.to-region.from, unix.MADV_DONTNEED)
	}
}

type region struct{ from, to uintptr }

// unwritten are the regions of /proc/self/smaps (proc(5)) that are files', cannot be written to and never were: what
// was, like the tables that a dynamic linker fills, would be lost.
func unwritten(smaps string) (found []region) {
	var r region
	candidate := false
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"):
			_, err := fmt.Sscanf(fields[0], "%x-%x", &r.from, &r.to)
			candidate = err == nil && len(fields) > 5 && strings.HasPrefix(fields[5], "/") && !strings.Contains(fields[1], "w")
		case len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" && candidate:
			found = append(found, r)
		}
	}
	return found
}
