package procnum

import (
	"bytes"
	"context"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// gopsutil without cgo runs ps and lsof for each process; the kernel gives both in one call.

func executables() map[int32]string { return nil }

func cmdline(_ context.Context, pid int32) (string, error) {
	_, args, err := procargs(pid)
	return args, err
}

func exePath(_ context.Context, pid int32) (string, error) {
	exe, _, err := procargs(pid)
	return exe, err
}

// procargs reads KERN_PROCARGS2: the number of arguments, the path of the executable, NULs, the arguments
// and the environment, each ending in a NUL. Only root may read those of others.
func procargs(pid int32) (exe, args string, err error) {
	data, err := unix.SysctlRaw("kern.procargs2", int(pid))
	if err != nil {
		if err == unix.EINVAL { // what the kernel says of a process that is not ours
			err = unix.EPERM
		}
		return "", "", err
	}
	if len(data) < 4 {
		return "", "", nil
	}
	count := int(binary.LittleEndian.Uint32(data))
	path, rest, _ := bytes.Cut(data[4:], []byte{0})
	rest = bytes.TrimLeft(rest, "\x00")
	var words [][]byte
	for len(words) < count && len(rest) > 0 {
		var word []byte
		word, rest, _ = bytes.Cut(rest, []byte{0})
		words = append(words, word)
	}
	return string(path), string(bytes.TrimRight(bytes.Join(words, []byte(" ")), " ")), nil
}
