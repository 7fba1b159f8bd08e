package journaltail

import (
	"slices"
	"strings"
	"time"
)

const (
	// agentName is the identifier of the agent's lines in the journal.
	agentName = "catpaw"
	// commLength is to what the kernel cuts the name of a process.
	commLength = 15
)

// identity is by what the agent's own lines are known. What it logs about this probe must not feed it.
type identity struct {
	names []string // SYSLOG_IDENTIFIER
	exe   string
	pid   string // counts with comm: an agent in a container has another process id outside
	comm  string
}

// wrote reports whether the agent itself wrote an entry. What its scripts log is not its own, nor is what
// systemd says about it.
func (i *identity) wrote(e *entry) bool {
	if len(e.exe)+len(e.pid) == 0 { // nothing that journald vouches for: what the writer calls itself must do
		return slices.Contains(i.names, string(e.identifier))
	}
	return len(e.exe) > 0 && string(e.exe) == i.exe || len(e.pid) > 0 && string(e.pid) == i.pid && string(e.comm) == i.comm
}

// forms makes the texts of an entry that patterns are matched against: the message, and the line that
// journalctl prints by default, against which patterns for catpaw 0.8 were written; of a message of
// several lines, also each line.
type forms struct {
	zone   *time.Location
	second int64 // of which stamp is
	stamp  []byte
	buf    []byte
	list   []string
}

// of returns the forms of an entry. The list is valid until the next call, the texts for ever.
func (f *forms) of(e *entry) []string {
	if second := e.time / 1e6; second != f.second || f.stamp == nil {
		f.second = second
		f.stamp = time.Unix(second, 0).In(f.zone).AppendFormat(f.stamp[:0], time.Stamp)
	}
	f.buf = append(f.buf[:0], f.stamp...)
	if len(e.host) > 0 {
		f.buf = append(append(f.buf, ' '), e.host...)
	}
	f.buf = append(append(f.buf, ' '), e.program()...)
	if pid := e.process(); len(pid) > 0 {
		f.buf = append(append(append(f.buf, '['), pid...), ']')
	}
	f.buf = append(f.buf, ": "...)
	prefix := len(f.buf)
	f.buf = append(f.buf, e.message...)
	whole := string(f.buf) // all forms are parts of it: one allocation an entry
	message := whole[prefix:]
	f.list = append(f.list[:0], whole, message)
	if first := strings.IndexByte(message, '\n'); first >= 0 {
		f.list = append(f.list, whole[:prefix+first])
		f.list = slices.AppendSeq(f.list, strings.SplitSeq(strings.TrimSuffix(message, "\n"), "\n"))
	}
	return f.list
}

// program is who wrote the entry, as journalctl says it.
func (e *entry) program() []byte {
	switch {
	case len(e.identifier) > 0:
		return e.identifier
	case len(e.comm) > 0:
		return e.comm
	}
	return []byte("unknown")
}

func (e *entry) process() []byte {
	if len(e.pid) > 0 {
		return e.pid
	}
	return e.syslogPID
}
