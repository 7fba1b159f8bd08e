package filechange

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os/user"
	"strconv"
	"strings"
	"time"

	"catpaw/internal/printable"
)

// line tells of one change: which file, how, when, by size and owner before and after.
func (c *change) line(names names) string {
	pieces := []string{shownPath(c.path) + ": " + c.how(), c.whenSeen()}
	if known := c.beforeAndAfter(names); len(known) > 0 {
		if c.after == nil {
			known[0] = "it had " + known[0]
		}
		pieces = append(pieces, strings.Join(known, ", "))
	}
	return strings.Join(pieces, "; ")
}

// how says what happened.
func (c *change) how() string {
	words := ""
	switch {
	case c.first:
		words = "changed before the first look at it"
	case c.before == nil && c.after == nil:
		words = "came and went"
	case c.before == nil:
		words = "created"
	case c.after == nil:
		words = "deleted"
	default:
		words = strings.Join(differences(c.before, c.after), ", ")
	}
	if c.steps > 1 {
		words += " (seen to change " + strconv.Itoa(c.steps) + " times)"
	}
	return words
}

// differences names all that is different.
func differences(b, a *state) (words []string) {
	say := func(is bool, word string) {
		if is {
			words = append(words, word)
		}
	}
	replaced := a.inode != b.inode
	content := a.size != b.size || a.contentDiffers(b)
	touched := a.mtime != b.mtime
	plain := a.mode.IsRegular() && b.mode.IsRegular()
	say(a.mode.Type() != b.mode.Type(), "became "+kind(a.mode))
	say(replaced, "replaced by another file")
	say(plain && content, "content changed")
	say(plain && content && !touched && !replaced, "its mtime kept or put back")
	say(plain && touched && !content && a.sameContent(b), "touched")
	say(plain && touched && !content && !a.sameContent(b) && !replaced, "written or touched")
	say(a.mode.IsDir() && b.mode.IsDir() && touched && !replaced, "entries added or removed")
	say(touched && a.mtime < b.mtime, "mtime set back")
	say(a.mode.Type() == b.mode.Type() && a.mode != b.mode, "mode changed")
	say(a.uid != b.uid || a.gid != b.gid, "owner changed")
	say(a.link != b.link, "link changed")
	if len(words) == 0 {
		say(true, "attributes, ACL or hard links changed")
		say(plain && !a.sameContent(b), "or the content, with its mtime put back")
	}
	say(plain && a.sameContent(b), "content the same")
	return words
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a regular file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// whenSeen says when it happened and when it was seen.
func (c *change) whenSeen() string {
	seen := time.Unix(0, c.seen)
	text := "seen " + seen.Format(time.DateTime+" MST")
	switch {
	case c.first:
		return "made " + seen.Format(time.DateTime+" MST")
	case c.made != 0:
		return "made " + clock(c.made, seen) + ", " + text
	case c.looked != 0:
		return "made after " + clock(c.looked, seen) + ", " + text
	}
	return text
}

// clock is a time, without the date where it is that of the day in question.
func clock(nanoseconds int64, day time.Time) string {
	t := time.Unix(0, nanoseconds)
	if t.Format(time.DateOnly) == day.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// beforeAndAfter names size and owner always, the rest where it changed or only one side is known.
func (c *change) beforeAndAfter(names names) (pieces []string) {
	b, a := c.before, c.after
	switch {
	case b == nil && a == nil:
		return nil
	case a == nil:
		a = b
	case b == nil:
		b = a
	}
	alone := c.before == nil || c.after == nil
	add := func(name, before, after string, always bool) {
		switch {
		case before != after:
			pieces = append(pieces, name+" "+or(before, "?")+" → "+or(after, "?"))
		case always && after != "":
			pieces = append(pieces, name+" "+after)
		}
	}
	add("size", inBytes(b.size), inBytes(a.size), true)
	add("owner", names.owner(b), names.owner(a), true)
	add("mode", permissions(b.mode), permissions(a.mode), alone)
	add("mtime", stamp(b.mtime), stamp(a.mtime), alone)
	add("link", shownPath(b.link), shownPath(a.link), alone)
	add("sha256", shortSum(b.sum), shortSum(a.sum), false)
	return pieces
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func stamp(nanoseconds int64) string { return time.Unix(0, nanoseconds).Format(time.DateTime) }

// permissions is a mode as chmod takes it.
func permissions(mode fs.FileMode) string {
	bits := uint32(mode.Perm())
	for _, special := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if mode&special.mode != 0 {
			bits |= special.bit
		}
	}
	return fmt.Sprintf("%04o", bits)
}

func shortSum(sum string) string {
	return hex.EncodeToString([]byte(sum[:min(len(sum), 6)]))
}

// inBytes is a size, in bytes where these are few enough to be read.
func inBytes(n int64) string {
	if n < 100_000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, units := float64(n)/1024, []string{"KiB", "MiB", "GiB", "TiB"}
	for value >= 1024 && len(units) > 1 {
		value, units = value/1024, units[1:]
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + units[0]
}

// names are the names of users ("u0") and groups ("g0") that were looked up in this run.
type names map[string]string

func (n names) user(uid int64) string {
	id := strconv.FormatInt(uid, 10)
	return n.once("u"+id, id, func() (string, error) {
		found, err := user.LookupId(id)
		if err != nil {
			return "", err
		}
		return found.Username, nil
	})
}

func (n names) group(gid int64) string {
	id := strconv.FormatInt(gid, 10)
	return n.once("g"+id, id, func() (string, error) {
		found, err := user.LookupGroupId(id)
		if err != nil {
			return "", err
		}
		return found.Name, nil
	})
}

// once looks a name up unless it is known; without a name it is the number.
func (n names) once(key, id string, lookup func() (string, error)) string {
	if name, known := n[key]; known {
		return name
	}
	name, err := lookup()
	if err != nil {
		name = id
	}
	name = printable.Line(name, 40)
	n[key] = name
	return name
}

// owner is user:group, "" where the platform has none.
func (n names) owner(s *state) string {
	if s.uid < 0 {
		return ""
	}
	return n.user(s.uid) + ":" + n.group(s.gid)
}
