//go:build unix

package stdout

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// readerGone waits until the pipe has no reader any more; it returns false when ctx ends first or
// nobody can tell. poll(2): POLLERR "is also set for a file descriptor referring to the write end of a
// pipe when the read end has been closed".
func readerGone(ctx context.Context, pipe *os.File) bool {
	wakeRead, wakeWrite, err := os.Pipe()
	if err != nil {
		return false
	}
	defer wakeRead.Close()
	stop := context.AfterFunc(ctx, func() { wakeWrite.Close() }) // ends the poll below
	defer func() {
		if stop() {
			wakeWrite.Close()
		}
	}()
	fds := []unix.PollFd{{Fd: int32(pipe.Fd())}, {Fd: int32(wakeRead.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || fds[1].Revents != 0:
			return false
		case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			return true
		}
	}
}
