package ping

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"syscall"
)

// hostError is this host's fault, not the target's: nobody saw how the target is.
type hostError struct{ text string }

func (e *hostError) Error() string { return e.text }

func isHost(err error) bool {
	var host *hostError
	return errors.As(err, &host)
}

// shortages are failures of this host for want of something.
var shortages = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

func isShortage(err error) bool {
	return slices.ContainsFunc(shortages, func(shortage error) bool { return errors.Is(err, shortage) })
}

func shortageOf(err error) error {
	return &hostError{plain(err) + ". Lower concurrency, or raise the limits of the agent (ulimit -n)"}
}

// asHostError marks what went wrong before anything was sent, where it is this host's fault.
func asHostError(err error) error {
	var call *os.SyscallError
	switch {
	case err == nil:
		return nil
	case isShortage(err):
		return shortageOf(err)
	case errors.As(err, &call) && call.Syscall == "socket" && errors.Is(err, fs.ErrPermission):
		return &hostError{"this host has just ceased to let catpaw ping: " + plain(err)}
	}
	return err
}

// plain words an error without the addresses that are told anyway.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err.Error()
}

// wording says what hindered a ping of which nothing could be sent.
func wording(s *sight) string {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.As(s.problem, &op) && op.Op == "write":
		return "cannot send: " + plain(s.problem)
	case errors.As(s.problem, &call) && s.source != "":
		return "cannot ping from " + s.source + ": " + plain(s.problem)
	case errors.As(s.problem, &call):
		return "cannot open a socket: " + plain(s.problem)
	}
	return s.problem.Error()
}

// hint says how to look further.
func (p *Probe) hint(s *sight) string {
	var name *nameError
	addr := s.addr.String()
	switch {
	case errors.As(s.problem, &name) && p.goos == "windows":
		return "`nslookup " + name.name + "` asks the name servers"
	case errors.As(s.problem, &name):
		return "`getent ahosts " + name.name + "` asks what this host asks"
	case !s.addr.IsValid():
		return "the interfaces of this host: `ip address`"
	case s.echoes == nil && p.goos == "linux":
		return "`ip route get " + addr + "`; a firewall of this host, too, may refuse to send"
	case p.goos == "windows":
		return "`ping -n " + itoa(p.Count) + " " + addr + "`; where it ends on the way: `tracert -d " + addr + "`"
	}
	return "`ping -c " + itoa(p.Count) + " " + addr + "`; where it ends on the way: `mtr -n " + addr + "`"
}
