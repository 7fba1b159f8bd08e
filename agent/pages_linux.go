package agent

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetPages tells the kernel that this process does without the program's own code and tables for now: its start needs
// nearly all of them, the time after that a third. They stay in the kernel's cache, from where what is needed comes back
// for half a microsecond a page; but the kernel may have their room at once when it is short of memory. As shipped 10 MiB
// are resident so and 16.6 otherwise.
//
// Only the file that runs may be treated like this, for it stays mapped as long as the process lives: on the place of any
// other there may be something else by now, which would be lost.
func forgetPages() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, region := range unwritten(string(smaps), program) { // an error would only mean that nothing is saved
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, region.from, region.to-region.from, unix.MADV_DONTNEED)
	}
}

type region struct{ from, to uintptr }

// unwritten are the regions of /proc/self/smaps (proc(5)) that are of this file, cannot be written to and never were: what
// was, like the tables that a dynamic linker fills, would be lost.
func unwritten(smaps, file string) (found []region) {
	var r region
	ours, anonymous := false, ""
	for line := range strings.Lines(smaps) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		switch {
		case name == "Anonymous:":
			anonymous = value
		case name == "Swap:" && ours && anonymous == none && value == none:
			found = append(found, r)
		case !strings.HasSuffix(name, ":"):
			_, err := fmt.Sscanf(name, "%x-%x", &r.from, &r.to)
			ours = err == nil && strings.HasSuffix(value, " "+file) && strings.HasPrefix(value, "r") && value[1] == '-'
			anonymous = ""
		}
	}
	return found
}

// none is how smaps says that nothing of a region is there.
const none = "0 kB"
