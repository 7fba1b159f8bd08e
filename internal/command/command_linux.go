package command

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel kill the direct child when the agent is killed. It watches the thread
// that forked, not the process: Go ends a thread only when a goroutine ends while locked to it, which
// no code of the agent may do.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// awaitExit returns when the child has ended, and leaves it a zombie.
func (c *child) awaitExit() {
	for {
		err := unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}
