package filechange

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// How many bytes of the description each list may take; what does not fit is counted. The changes have
// what the rest leaves.
const (
	roomTrouble = 250 // each of missing, unreadable
	roomGlobs   = 250
	roomCounts  = 60 // the name of the list of changes, and how many were left out
	mostListed  = 50 // changes of which a line is made at all
)

// event is the one result of a run.
func (p *Probe) event(v *view, m *memory, now time.Time) pipeline.Event {
	missing, unreadable := v.missing(), v.unreadable()
	e := pipeline.Event{Time: now.Unix(), Status: pipeline.Ok, Labels: p.labels(), Attrs: p.attrs(v)}
	e.Attrs = append(e.Attrs,
		pipeline.Attr{Key: "changed", Value: int64(len(m.changes))},
		pipeline.Attr{Key: "missing", Value: int64(len(missing))},
		pipeline.Attr{Key: "unreadable", Value: int64(len(unreadable))})
	var head, tail markdown.Builder
	if len(m.changes)+len(missing)+len(unreadable) == 0 && !m.partial {
		head.Item("files", "%d watched, none changed within %s", v.files, p.TimeSpan)
		p.tellOddities(&head, v)
		tellChanges(&head, "the last that did", m.past, m.ended, pipeline.MaxDescription-len(head.String())-roomCounts-300) // the engine adds its own
		e.Description = head.String()
		return e
	}
	e.Status = pipeline.Bad
	head.Item("files", "%d watched; expected: all are there, and none changed within %s", v.files, p.TimeSpan)
	tellTrouble(&tail, missing, unreadable)
	p.tellOddities(&tail, v)
	tellFurther(&tail, m)
	rest := strings.TrimPrefix(tail.String(), "[MD]")
	tellChanges(&head, "changed", m.changes, len(m.changes), pipeline.MaxDescription-len(head.String())-len(rest)-roomCounts)
	e.Description = head.String() + rest
	return e
}

func (p *Probe) attrs(v *view) []pipeline.Attr {
	attrs := make([]pipeline.Attr, 0, 6)
	attrs = append(attrs, pipeline.Attr{Key: "files", Value: int64(v.files)})
	if len(p.globs) > 0 {
		attrs = append(attrs, pipeline.Attr{Key: "matches", Value: int64(v.matches)})
	}
	if p.Checksum {
		attrs = append(attrs, pipeline.Attr{Key: "unhashed", Value: int64(v.unhashed)})
	}
	return attrs
}

func tellChanges(text *markdown.Builder, name string, changes []change, total, room int) {
	if len(changes) == 0 {
		return
	}
	names := names{}
	lines := make([]string, 0, mostListed)
	for i := range changes[:min(len(changes), mostListed)] {
		lines = append(lines, changes[i].line(names))
	}
	text.List(name, lines, total, room)
}

func tellTrouble(text *markdown.Builder, missing, unreadable []string) {
	if len(missing) > 0 {
		text.List("missing", missing, len(missing), roomTrouble)
		text.Item("remedy", "put it back, or take it out of filepaths")
	}
	if len(unreadable) > 0 {
		text.List("unreadable", unreadable, len(unreadable), roomTrouble)
		text.Item("remedy", "what was known of it is kept. %s, or leave it out (exclude, narrower globs)", remedyFor(unreadable))
	}
}

// remedyFor is what helps against the first trouble.
func remedyFor(unreadable []string) string {
	if strings.Contains(unreadable[0], tooLarge) {
		return "Raise max_checksum_bytes"
	}
	return "Let catpaw's user" + whoAmI() + " read it"
}

// whoAmI names the user that lacks a right.
func whoAmI() string {
	if uid := os.Geteuid(); uid >= 0 {
		return " (" + names{}.user(int64(uid)) + ")"
	}
	return ""
}

// tellOddities adds what is worth knowing, also where all is well.
func (p *Probe) tellOddities(text *markdown.Builder, v *view) {
	if v.cut || v.over > 0 {
		text.Item("too many", "the globs find more than max_files = %d files; those beyond are not watched. Raise max_files, or make the globs narrower", p.MaxFiles)
	}
	if len(v.nothing) > 0 {
		for i := range v.nothing {
			v.nothing[i] = shownPath(v.nothing[i])
		}
		text.List("globs that match nothing", v.nothing, len(v.nothing), roomGlobs)
	}
	if v.unhashed > 0 {
		text.Item("checksums", "%d still to be taken: max_checksum_bytes and timeout bound what one run reads", v.unhashed)
	}
	if v.lost != nil {
		text.Item("memory", "what was remembered cannot be read, so it begins anew: %v", v.lost)
	}
}

// tellFurther says how to look further at the newest change.
func tellFurther(text *markdown.Builder, m *memory) {
	if runtime.GOOS == "windows" || len(m.changes) == 0 {
		return
	}
	command, path := "stat", m.changes[0].path
	if m.changes[0].after == nil {
		command, path = "ls -la", filepath.Dir(path)
	}
	if printable.Line(path, 250) == path { // else it cannot be copied from here
		text.Item("look further", "`%s %s`, `last`", command, shellquote.Join(path))
	}
}

// missing says which files and directories are not there, though they should be.
func (v *view) missing() (texts []string) {
	slices.Sort(v.absent)
	for _, dir := range slices.Compact(v.absent) {
		texts = append(texts, shownPath(dir)+": there is no such directory for a glob to look in")
	}
	for i := range v.sights {
		if s := &v.sights[i]; s.literal && !s.there && s.why == nil {
			texts = append(texts, shownPath(s.path)+": "+whyMissing(s))
		}
	}
	return texts
}

func whyMissing(s *sight) string {
	if s.now.link != "" {
		return "is a symbolic link to " + shownPath(s.now.link) + ", which does not exist"
	}
	if _, err := os.Lstat(filepath.Dir(s.path)); isGone(err) {
		return "does not exist, nor does its directory"
	}
	return "does not exist"
}

// unreadable says what could not be looked at or read, and why. What is in a directory that cannot be
// read is not told file by file.
func (v *view) unreadable() (texts []string) {
	blind := make(map[string]bool, len(v.blind))
	for dir, err := range v.blind {
		blind[dir] = true
		texts = append(texts, shownPath(dir)+": "+plain(err))
	}
	slices.Sort(texts)
	for i := range v.sights {
		switch s := &v.sights[i]; {
		case s.why != nil && !isBlind(s.path, blind):
			texts = append(texts, shownPath(s.path)+": "+plain(s.why))
		case s.noSum != "":
			texts = append(texts, shownPath(s.path)+": "+s.noSum)
		}
	}
	return texts
}

// plain is an error without the path, which stands before it.
func plain(err error) string {
	var onPath *fs.PathError
	if errors.As(err, &onPath) {
		err = onPath.Err
	}
	return printable.Line(err.Error(), 100)
}

// shownPath makes a path fit to be shown. Of a long one the end tells most.
func shownPath(path string) string {
	const head, tail = 50, 110
	if len(path) > head+tail {
		path = path[:head] + "…" + path[len(path)-tail:]
	}
	return printable.Line(path, head+tail+50)
}
