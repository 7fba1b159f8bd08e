package mtime

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"

	"catpaw/internal/config"
	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

const (
	shownPath = 200 // bytes of a path
	roomForUn = 400 // bytes for the list of what could not be read, and for that of future files
)

// judge makes the event of a walk that came to its end.
func (p *Probe) judge(at *place, w *walk, began time.Time) pipeline.Event {
	event := pipeline.Event{Time: began.Unix(), Status: pipeline.Bad, Labels: slices.Clone(at.labels)}
	if w.root != nil {
		event.Description = p.closed(at, w.root)
		return event
	}
	sum := &w.sum
	if (p.AlertIf == stale) == (sum.changed > 0) {
		event.Status = pipeline.Ok
	}
	event.Description = p.describe(at, sum, began)
	event.Attrs = []pipeline.Attr{
		{Key: "files", Value: sum.files},
		{Key: "changed", Value: sum.changed},
		{Key: "unreadable", Value: sum.unreadable},
		{Key: "future", Value: sum.future},
	}
	if sum.files > sum.future {
		event.Attrs = append(event.Attrs, pipeline.Attr{Key: "newest_age_seconds", Value: sum.age(began).Seconds()})
	}
	return event
}

// age is that of the newest file. One that changed while the walk went on is brand-new.
func (t *tally) age(now time.Time) time.Duration {
	return max(0, time.Duration(now.UnixNano()-t.newest))
}

func (p *Probe) describe(at *place, sum *tally, began time.Time) string {
	var text markdown.Builder
	text.Item("directory", "%s", printable.Line(at.path, shownPath))
	text.Item("expected", "%s", p.expected())
	text.Item("seen", "%s", p.seen(sum, began))
	below := p.remarks(at, sum, began.Location())
	if p.AlertIf == stale || sum.changed == 0 {
		return text.String() + below
	}
	const more = 80 // for the head of the list and the count of what it leaves out
	room := pipeline.MaxDescription - len(text.String()) - len(below) - more
	return text.List("changed files, newest first", lines(sum.fresh.items, func(f found) string {
		return ago(began, f.modified) + ": " + code(f.path)
	}), sum.changed, room).String() + below
}

func (p *Probe) expected() string {
	if p.AlertIf == stale {
		return "a file that changed within the last " + p.TimeSpan.String()
	}
	return "no file changed within the last " + p.TimeSpan.String()
}

func (p *Probe) seen(sum *tally, began time.Time) string {
	switch {
	case sum.files == 0:
		return "no file at all"
	case sum.files == sum.future:
		return fmt.Sprintf("%d files, all of them dated in the future", sum.files)
	}
	newest := clock(sum.newest, began.Location()) + ", " + ago(began, sum.newest)
	if p.AlertIf == stale {
		newest += ": " + code(sum.fresh.items[0].path)
	}
	if p.AlertIf == stale || sum.changed == 0 {
		return fmt.Sprintf("of %d files the newest changed at %s", sum.files, newest)
	}
	return fmt.Sprintf("%d of %d files changed, the newest at %s: %s", sum.changed, sum.files, newest, code(sum.fresh.items[0].path))
}

// remarks are what bears upon the verdict besides, and how to look further.
func (p *Probe) remarks(at *place, sum *tally, zone *time.Location) string {
	var text markdown.Builder
	if sum.unreadable > 0 {
		text.List("unreadable, so that changes there go unseen", lines(sum.refused.items, func(f found) string {
			return code(f.path) + ": " + plain(f.err)
		}), sum.unreadable, roomForUn)
	}
	if sum.future > 0 {
		text.List("dated in the future, and not counted as changed: when they did, nobody knows", lines(sum.ahead.items, func(f found) string {
			return code(f.path) + ": " + clock(f.modified, zone)
		}), sum.future, roomForUn)
	}
	if (p.AlertIf == stale) == (sum.changed == 0) && p.goos != "windows" {
		text.Item("look further", "`%s`", p.byHand(at))
	}
	return strings.TrimPrefix(text.String(), "[MD]")
}

// byHand is the command that shows the same.
func (p *Probe) byHand(at *place) string {
	if p.AlertIf == stale {
		return "ls -lat " + quote(at.path) + " | head"
	}
	since := at.looked.Add(-p.TimeSpan.Std()).Format(time.DateTime)
	return fmt.Sprintf("find %s -type f -newermt '%s' -ls", quote(strings.TrimRight(at.path, "/")+"/"), since)
}

// closed describes a directory that could not be read at all.
func (p *Probe) closed(at *place, err error) string {
	var text markdown.Builder
	return text.Item("directory", "%s", printable.Line(at.path, shownPath)).
		Item("expected", "%s", p.expected()).
		Item("seen", "the directory cannot be read: %s", plain(err)).
		Item("remedy", "%s", p.remedy(at, err)).String()
}

func (p *Probe) remedy(at *place, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "create it, mount what holds it, or correct the option directory"
	case errors.Is(err, fs.ErrPermission):
		if p.goos == "windows" {
			return "let the agent's account list and read it"
		}
		return "let the agent's user read and enter it, and enter all directories above: `namei -l " + quote(at.path) +
			"` shows which one refuses. Or run the agent as root, or with the capability CAP_DAC_READ_SEARCH"
	case errors.Is(err, syscall.ENOTDIR):
		return "name a directory; single files are watched by the probe filechange"
	}
	return "look whether its file system is well: `ls -la " + quote(at.path) + "`"
}

// plain words an error without the path, which stands beside it.
func plain(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return printable.Line(err.Error(), shownPath)
}

func lines(items []found, line func(found) string) []string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = line(item)
	}
	return all
}

// code shows a path literally; of a long one the end, which tells most.
func code(path string) string {
	path = printable.Line(strings.ReplaceAll(path, "`", "'"), len(path)+4*shownPath)
	if len(path) > shownPath {
		path = "…" + strings.ToValidUTF8(path[len(path)-shownPath:], "")
	}
	return "`" + path + "`"
}

// quote makes a path one word for a shell, and safe between backquotes.
func quote(path string) string {
	path = strings.ReplaceAll(printable.Line(path, shownPath), "`", "?")
	if !strings.ContainsAny(path, " '\"$&|;<>()*?[]{}~#!\\") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func clock(nanoseconds int64, zone *time.Location) string {
	return time.Unix(0, nanoseconds).In(zone).Format(time.DateTime + " MST")
}

func ago(now time.Time, modified int64) string {
	return config.Duration(max(0, time.Duration(now.UnixNano()-modified)).Truncate(time.Second)).String() + " ago"
}
