package procnum

import (
	"bytes"
	"strconv"
	"strings"
)

// How the files of /proc/PID are written: see proc(5).

const (
	// commLength is where the kernel cuts the Name of a process (TASK_COMM_LEN less the NUL).
	commLength = 15
	// kernelThread is the flag PF_KTHREAD in /proc/PID/stat.
	kernelThread = 0x00200000
)

// joined puts blanks between arguments, and cuts the padding that a process left that changed its title.
func joined(text []byte, begin int) []byte {
	args := bytes.TrimRight(text[begin:], "\x00 ")
	for at := 0; ; at++ {
		next := bytes.IndexByte(args[at:], 0)
		if next < 0 {
			return text[:begin+len(args)]
		}
		at += next
		args[at] = ' '
	}
}

// judge reads /proc/PID/stat: the state is the third field, the flags the ninth, the number of threads
// the twentieth. The second, the Name, stands in brackets and may itself hold anything.
func judge(stat []byte) (is state, otherThreads bool) {
	after := bytes.LastIndexByte(stat, ')')
	if after < 0 {
		return gone, false
	}
	fields := bytes.Fields(stat[after+1:])
	if len(fields) < 18 {
		return gone, false
	}
	flags, _ := strconv.ParseUint(string(fields[6]), 10, 64)
	switch {
	case fields[0][0] == 'Z' || fields[0][0] == 'X':
		return zombie, string(fields[17]) != "1" && string(fields[17]) != "0"
	case flags&kernelThread != 0:
		return kernel, false
	}
	return alive, false
}

// fullName completes a Name that the kernel has cut, from the executable or, as for a script, from one of
// the first arguments.
func fullName(name, args, exe string) string {
	if len(name) != commLength {
		return name
	}
	for range 3 {
		var word string
		word, args, _ = strings.Cut(args, " ")
		if base := word[strings.LastIndexByte(word, '/')+1:]; strings.HasPrefix(base, name) {
			return base
		}
	}
	if base := exe[strings.LastIndexByte(exe, '/')+1:]; strings.HasPrefix(base, name) {
		return base
	}
	return name
}
