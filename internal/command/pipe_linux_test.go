package command

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAPipeHoldsMore(t *testing.T) {
	t.Parallel()
	p, childEnd, err := newPipe(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.file.Close()
	defer childEnd.Close()
	raw, err := p.file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		switch size, err := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); {
		case err != nil:
			t.Error(err)
		case size < pipeSize:
			if _, err := unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize); err != nil {
				t.Skipf("this user may not have larger pipes: %v", err)
			}
			t.Errorf("the pipe holds %d bytes", size)
		}
	})
}
