package procnum

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// procfs reads /proc by itself, with three system calls a file. gopsutil takes six, and the long status of
// every process for its name: 1.5 times the CPU of this (BenchmarkInstances).
type procfs struct {
	dir     int    // /proc, open
	scratch []byte // for small files
}

// maxArgs is how much of the arguments of one process is looked at: more than a long class path.
const maxArgs = 256 << 10

func openReader() (reader, error) {
	dir, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/proc", Err: err}
	}
	return &procfs{dir: dir, scratch: make([]byte, 0, 4096)}, nil
}

func (r *procfs) close() { unix.Close(r.dir) }

func (r *procfs) list(context.Context) (pids []int32, hidden bool, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, false, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, false, err
	}
	pids = make([]int32, 0, len(names))
	for _, name := range names {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		if pid, err := strconv.ParseInt(name, 10, 32); err == nil {
			pids = append(pids, int32(pid)) // the kernel lists them in rising order
		}
	}
	if len(pids) == 0 {
		return nil, false, errors.New("there are none in /proc: mount it, with mount -t proc proc /proc")
	}
	// Every process namespace has a process 1. Where it is not to be seen, hidepid hides those of others.
	return pids, pids[0] != 1, nil
}

func (r *procfs) is(_ context.Context, pid int32) state {
	status, err := r.small(pid, "/status")
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return denied
	case err != nil:
		if errors.Is(syscall.Kill(int(pid), 0), syscall.EPERM) {
			return denied // hidepid: there, but not to be seen
		}
		return gone
	}
	_, leader, _ := bytes.Cut(status, []byte("\nTgid:\t"))
	leader, _, _ = bytes.Cut(leader, []byte("\n"))
	if string(leader) != strconv.Itoa(int(pid)) {
		return gone // the number of a thread
	}
	return alive
}

func (r *procfs) args(_ context.Context, pid int32, wasKernel bool, text []byte) ([]byte, state) {
	begin := len(text)
	text, err := r.read(pid, "/cmdline", text, maxArgs)
	if err != nil {
		return text[:begin], stateOf(err)
	}
	if text = joined(text, begin); len(text) > begin {
		return text, alive
	}
	if wasKernel {
		return text, kernel
	}
	stat, err := r.small(pid, "/stat")
	if err != nil {
		return text, stateOf(err)
	}
	is, otherThreads := judge(stat)
	if is == zombie && otherThreads {
		// Only the first thread has ended: the process works on in the others.
		if task := r.otherThread(pid); task != "" {
			text, _ = r.read(pid, task+"/cmdline", text, maxArgs)
			return joined(text, begin), alive
		}
	}
	return text, is
}

func (r *procfs) names(_ context.Context, pid int32, args string, is state, text []byte) (_ []byte, pathless bool) {
	if is == denied || is == gone {
		return text, false // nothing to be seen, and told as that
	}
	comm, err := r.small(pid, "/comm")
	if err != nil {
		return text, false
	}
	name := string(bytes.TrimSuffix(comm, []byte("\n")))
	exe := ""
	if is != kernel && is != zombie {
		if exe, err = r.executable(pid); errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
			pathless = true
		}
	}
	text = append(text, fullName(name, args, exe)...)
	word, _, _ := strings.Cut(args, " ")
	if word != "" && word != name && word != exe {
		text = append(append(text, '\n'), word...)
	}
	if exe != "" {
		text = append(append(text, '\n'), exe...)
	}
	return text, pathless
}

// executable reads the link to the executable, which only root and the user of the process may.
func (r *procfs) executable(pid int32) (string, error) {
	path := r.path(pid, "/exe")
	for range 2 {
		space := r.scratch[:cap(r.scratch)]
		n, err := unix.Readlinkat(r.dir, path, space)
		if err == nil {
			return strings.TrimSuffix(string(space[:n]), " (deleted)"), nil
		}
		if task := r.otherThread(pid); !errors.Is(err, unix.ENOENT) || task == "" {
			return "", err
		} else {
			path = r.path(pid, task+"/exe")
		}
	}
	return "", unix.ENOENT
}

// otherThread is the path, below that of the process, of a thread that is not the first; "" = none.
func (r *procfs) otherThread(pid int32) string {
	own := strconv.Itoa(int(pid))
	entries, _ := os.ReadDir("/proc/" + own + "/task")
	for _, entry := range entries {
		if entry.Name() != own {
			return "/task/" + entry.Name()
		}
	}
	return ""
}

func (r *procfs) user(_ context.Context, pid int32) string {
	var info unix.Stat_t
	// The owner of the directory is the effective user, also of a process that hides the rest.
	if err := unix.Fstatat(r.dir, strconv.Itoa(int(pid)), &info, 0); err != nil {
		return ""
	}
	return strconv.FormatUint(uint64(info.Uid), 10)
}

func (r *procfs) path(pid int32, file string) string {
	var space [48]byte
	return string(append(strconv.AppendInt(space[:0], int64(pid), 10), file...))
}

// small reads a file of up to 4 KiB. What it returns is overwritten by the next one.
func (r *procfs) small(pid int32, file string) ([]byte, error) {
	data, err := r.read(pid, file, r.scratch[:0], cap(r.scratch))
	return data, err
}

// read appends a file, at most limit bytes of it, to text. It takes three system calls where the file is
// short: one that fills less than it was given has come to its end.
func (r *procfs) read(pid int32, file string, text []byte, limit int) ([]byte, error) {
	fd, err := unix.Openat(r.dir, r.path(pid, file), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return text, err
	}
	defer unix.Close(fd)
	for begin := len(text); len(text)-begin < limit; {
		if cap(text)-len(text) < 512 && cap(text) < limit+begin {
			text = append(text, make([]byte, max(512, min(cap(text), maxArgs)))...)[:len(text)]
		}
		space := text[len(text):min(cap(text), begin+limit)]
		n, err := unix.Read(fd, space)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return text, err
		}
		text = text[:len(text)+n]
		if n < len(space) {
			break
		}
	}
	return text, nil
}

// stateOf says what it means that a file of a process cannot be read.
func stateOf(err error) state {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return denied
	}
	return gone // ENOENT, ESRCH
}
