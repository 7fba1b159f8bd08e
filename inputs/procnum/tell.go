package procnum

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

const (
	shownPids   = 20  // in attrs and commands
	shownSearch = 150 // bytes of what was searched
	shownReason = 300
	namesRoom   = 600 // bytes for the list of processes
)

func itoa(n int) string { return strconv.Itoa(n) }

// judge makes the event.
func (p *Probe) judge(s *sight) pipeline.Event {
	count := len(s.pids)
	event := pipeline.Event{Status: pipeline.Ok, Labels: p.labels(), Attrs: make([]pipeline.Attr, 0, 3)}
	event.Attrs = append(event.Attrs, pipeline.Attr{Key: "processes", Value: int64(count)})
	if count > 0 {
		event.Attrs = append(event.Attrs, pipeline.Attr{Key: "pids", Value: list(s.pids)})
	}
	if unseen := s.blind.most(); unseen > 0 {
		event.Attrs = append(event.Attrs, pipeline.Attr{Key: "unseen_processes", Value: int64(unseen)})
	}
	if p.isBad(count, s) {
		event.Status = pipeline.Bad
	}
	if event.Status == pipeline.Ok && s.nothing == "" && p.unseen(s) == "" {
		event.Description = p.head + "\n- **seen**: " + processes(count) // the hot path
		return event
	}
	event.Description = p.describe(count, s, event.Status == pipeline.Bad)
	return event
}

// isBad: too few, too many, or so that nobody can say whether they are too many.
func (p *Probe) isBad(count int, s *sight) bool {
	switch most := s.blind.most(); {
	case s.fault != "", count < p.AlertIfLt:
		return true
	case p.AlertIfGt == off:
		return false
	default:
		return most < 0 || count+most > p.AlertIfGt
	}
}

// describeSearch is what every description begins with: what is searched, and how many are expected.
func (p *Probe) describeSearch() string {
	var b markdown.Builder
	show := func(text string) string {
		return "`" + printable.Cut(strings.ReplaceAll(text, "`", "'"), shownSearch) + "`"
	}
	switch {
	case p.SearchExec != "":
		b.Item("search", "%s in the name or path of the executable", show(p.SearchExec))
	case p.SearchCmdline != "":
		b.Item("search", "%s in the command line", show(p.SearchCmdline))
	case p.SearchService != "":
		b.Item("service", "%s", show(p.SearchService))
	}
	if p.SearchUser != "" {
		b.Item("user", "%s", show(p.SearchUser))
	}
	if p.SearchPidFile != "" {
		b.Item("pid file", "%s", show(p.SearchPidFile))
	}
	return b.Item("expected", "%s", p.expected()).String()
}

func (p *Probe) expected() string {
	switch low, high := p.AlertIfLt, p.AlertIfGt; {
	case high == off:
		return "at least " + processes(low)
	case high == 0:
		return "no process"
	case low == 0:
		return "at most " + processes(high)
	case low == high:
		return "exactly " + processes(low)
	default:
		return itoa(low) + " to " + processes(high)
	}
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return itoa(n) + " processes"
}

func (p *Probe) describe(count int, s *sight, bad bool) string {
	var b markdown.Builder
	if s.fault != "" {
		b.Item("cannot look", "%s", printable.Line(s.fault, shownReason))
	} else {
		b.Item("seen", "%s", processes(count))
	}
	if s.nothing != "" {
		b.Item("because", "%s", printable.Line(s.nothing, shownReason))
	}
	if bad && count > 0 {
		b.List("processes", p.named(s), count, namesRoom)
	}
	if len(s.zombies) > 0 {
		b.Item("not counted", "%d that ended and that their parent process has not noticed (zombies): %s", len(s.zombies), list(s.zombies))
	}
	if unseen := p.unseen(s); unseen != "" {
		b.Item("not seen", "%s", unseen)
	}
	if bad {
		b.Item("look further", "`%s`", p.further(s))
	}
	return p.head + strings.TrimPrefix(b.String(), "[MD]")
}

func (p *Probe) named(s *sight) []string {
	lines := make([]string, len(s.names))
	for i, name := range s.names {
		lines[i] = strings.TrimRight(strconv.Itoa(int(s.pids[i]))+" "+printable.Line(name, 80), " ")
	}
	return lines
}

// unseen says what the search was blind to, where that may matter, and the remedy.
func (p *Probe) unseen(s *sight) string {
	b, count := &s.blind, len(s.pids)
	few := !b.hidden && count+b.denied+len(b.hung)+b.closed+b.noPath <= p.AlertIfGt
	if count >= p.AlertIfLt && (few || p.AlertIfGt == off || count > p.AlertIfGt) {
		return "" // more would change nothing
	}
	var parts []string
	if b.hidden {
		parts = append(parts, "/proc is mounted with hidepid, so the processes of other users are hidden: run catpaw as root, or put it in the group named by the mount option gid= of /proc")
	}
	if b.denied > 0 {
		parts = append(parts, fmt.Sprintf("%s may not be read (is /proc mounted with hidepid, or catpaw confined?): run catpaw as root", processes(b.denied)))
	}
	if b.closed > 0 {
		parts = append(parts, fmt.Sprintf("the command lines of %s may not be read: %s to see more of them", processes(b.closed), p.privilege()))
	}
	if b.noPath > 0 {
		parts = append(parts, fmt.Sprintf("of %s of other users only name and command were looked at, the path of the executable may not be read: %s", processes(b.noPath), p.privilege()))
	}
	if len(b.hung) > 0 {
		parts = append(parts, fmt.Sprintf("the command lines of %s (%s): whoever reads them hangs, often on a dead disk or network mount", processes(len(b.hung)), list(b.hung)))
	}
	return strings.Join(parts, "; ")
}

// privilege is the remedy for what only others may see. In a container root may lack the capability.
func (p *Probe) privilege() string {
	switch p.goos {
	case "windows":
		return "run catpaw as an administrator"
	case "linux":
		if os.Geteuid() == 0 {
			return "give catpaw the capability CAP_SYS_PTRACE, which this host, or container, keeps even from root"
		}
		return "run catpaw as root, with the capability CAP_SYS_PTRACE"
	default:
		return "run catpaw as root"
	}
}

// further is a command that shows more.
func (p *Probe) further(s *sight) string {
	windows := p.goos == "windows"
	word := p.SearchExec
	if word == "" {
		word = p.SearchCmdline
	}
	switch {
	case p.asksService():
		return "sc query " + quoted(p.SearchService, `"`)
	case windows && word != "":
		return "tasklist /v | findstr /c:" + quoted(word, `"`)
	case windows:
		return "tasklist /v"
	case s.further != "":
		return s.further
	case len(s.pids) > 0:
		return "ps -o pid,user,lstart,args -p " + strings.ReplaceAll(joinPids(s.pids[:min(len(s.pids), shownPids)]), " ", "")
	case p.SearchPidFile != "":
		return "cat " + quoted(p.SearchPidFile, "'")
	case word != "":
		return "ps -ef | grep -F -- " + quoted(word, "'")
	default:
		return "ps -fu " + quoted(p.SearchUser, "'")
	}
}

// quoted makes one word for a shell.
func quoted(word, quote string) string {
	word = printable.Cut(strings.ReplaceAll(word, "`", "?"), shownSearch)
	if quote == "'" {
		word = strings.ReplaceAll(word, "'", `'\''`)
	}
	return quote + word + quote
}

// list is the first pids, and how many there are where that is not all.
func list(pids []int32) string {
	if len(pids) <= shownPids {
		return joinPids(pids)
	}
	return joinPids(pids[:shownPids]) + ", … (" + itoa(len(pids)) + " in all)"
}

func joinPids(pids []int32) string {
	text := make([]byte, 0, 9*len(pids))
	for i, pid := range pids {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = strconv.AppendInt(text, int64(pid), 10)
	}
	return string(text)
}
