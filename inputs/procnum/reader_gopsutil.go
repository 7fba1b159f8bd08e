//go:build !linux

package procnum

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/process"
)

// library reads the process table through gopsutil.
type library struct {
	exes map[int32]string // Windows: file names of the executables, which anyone may know
}

func openReader() (reader, error) { return &library{}, nil }

func (r *library) close() {}

// list takes the numbers alone: process.Processes asks five times as much of each.
func (r *library) list(ctx context.Context) (pids []int32, hidden bool, err error) {
	pids, err = process.PidsWithContext(ctx)
	return pids, false, err
}

func (r *library) is(ctx context.Context, pid int32) state {
	there, err := process.PidExistsWithContext(ctx, pid)
	switch {
	case err != nil:
		return denied
	case !there:
		return gone
	}
	return alive
}

func (r *library) args(ctx context.Context, pid int32, _ bool, text []byte) ([]byte, state) {
	args, err := cmdline(ctx, pid)
	if err != nil || args == "" {
		return text, r.without(ctx, pid, err != nil)
	}
	return append(text, args...), alive
}

// without says what a process is that has no arguments, or whose arguments cannot be read: Windows and
// macOS have such that nobody may read.
func (r *library) without(ctx context.Context, pid int32, failed bool) state {
	if there, existsErr := process.PidExistsWithContext(ctx, pid); existsErr == nil && !there {
		return gone
	}
	if runtime.GOOS != "windows" {
		status, _ := (&process.Process{Pid: pid}).StatusWithContext(ctx)
		if len(status) == 1 && status[0] == process.Zombie {
			return zombie
		}
	}
	if failed {
		return closed
	}
	return alive
}

func (r *library) names(ctx context.Context, pid int32, args string, is state, text []byte) (_ []byte, pathless bool) {
	if is == gone {
		return text, false
	}
	name, exe, err := r.executable(ctx, pid)
	pathless = errors.Is(err, fs.ErrPermission)
	text = append(text, name...)
	word, _, _ := strings.Cut(args, " ")
	if word != "" && word != name && word != exe {
		text = append(append(text, '\n'), word...)
	}
	if exe != "" {
		text = append(append(text, '\n'), exe...)
	}
	return text, pathless
}

// executable returns the Name and the path of the executable.
func (r *library) executable(ctx context.Context, pid int32) (name, exe string, err error) {
	p := &process.Process{Pid: pid}
	if runtime.GOOS == "windows" {
		if r.exes == nil {
			r.exes = executables()
		}
		if name = r.exes[pid]; name == "" {
			name = strconv.Itoa(int(pid))
		}
		exe, err = p.ExeWithContext(ctx)
		return name, exe, err
	}
	name, _ = p.NameWithContext(ctx)
	exe, err = exePath(ctx, pid)
	if base := filepath.Base(exe); len(name) >= 15 && strings.HasPrefix(base, name) {
		name = base
	}
	return name, exe, err
}

func (r *library) user(ctx context.Context, pid int32) string {
	p := &process.Process{Pid: pid}
	if runtime.GOOS == "windows" {
		name, _ := p.UsernameWithContext(ctx)
		return name
	}
	uids, err := p.UidsWithContext(ctx) // real, effective, saved; on macOS the effective alone
	if err != nil || len(uids) == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(uint32(uids[min(1, len(uids)-1)])), 10)
}
