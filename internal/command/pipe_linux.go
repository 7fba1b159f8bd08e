package command

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe holds, in bytes: with Linux's usual 64 KiB a child that prints fast and the one who reads take turns
// instead of working at the same time. 1 GiB through sfilter takes half as long.
const pipeSize = 256 << 10

// widen has a pipe hold more. Where it may not, as its user has very many pipes, it stays as it is.
func widen(pipe *os.File) {
	if raw, err := pipe.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}
