package procnum

import "context"

// reader reads the process table of this host. It is used by one goroutine.
type reader interface {
	// list returns the pids there are, rising. hidden: there may be others that the agent may not see.
	list(ctx context.Context) (pids []int32, hidden bool, err error)
	// is tells whether there is a process of that number, also one that list may not show.
	is(ctx context.Context, pid int32) state
	// args appends the arguments, joined by blanks, to text. kernel: it was a kernel thread a moment ago.
	args(ctx context.Context, pid int32, kernel bool, text []byte) ([]byte, state)
	// names appends, each but the first after a line break, the full Name of the process, the first word
	// of its arguments and the path of its executable. pathless: that path may not be read.
	names(ctx context.Context, pid int32, args string, is state, text []byte) (_ []byte, pathless bool)
	// user returns the effective user: its number, on Windows DOMAIN\name; "" = not known.
	user(ctx context.Context, pid int32) string
	close()
}

// state is what became of the look at one process.
type state uint8

const (
	alive  state = iota
	kernel       // a thread of the kernel: alive, but without arguments and executable
	zombie       // ended, its parent has not noticed
	gone         // ended between the list and the look
	denied       // there, but not ours to read
	closed       // its arguments are not ours to read, as is usual on this system
	hung         // its arguments cannot be read: whoever tries hangs in the kernel
)
