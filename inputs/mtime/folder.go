package mtime

import (
	"errors"
	"io/fs"
	"syscall"
)

// folder is an open directory. read is called by one worker at a time, the others by any number, also
// meanwhile.
type folder interface {
	// read puts the entries that come next into b, none once all were read. more says that there are
	// certainly others.
	read(b *batch) (more bool, err error)
	// stat says what an entry is, and for a file, when it was changed: nanoseconds since 1970. It does not
	// follow symbolic links.
	stat(name []byte) (modified int64, kind kind, err error)
	// open opens a directory in this one; a symbolic link is none.
	open(name string) (folder, error)
	close()
}

// kind is what an entry is, as far as a walk cares.
type kind uint8

const (
	other   kind = iota // a link, a device, a socket …
	regular             //
	subdir              //
	unknown             // the file system does not tell before stat
)

// entry is a name in a directory. The name is good until the next read into its batch.
type entry struct {
	name []byte
	kind kind
}

// batch is the entries of one read and room for them, used again and again by one worker.
type batch struct {
	entries []entry
	room    []byte // for those readers that need it
}

// nanoseconds counts from 1970. What lies beyond the years 1780 and 2260 becomes the first or the last
// of them, so that differences can still be counted.
func nanoseconds(seconds, more int64) int64 {
	const first, last = -6_000_000_000, 9_150_000_000
	return min(max(seconds, first), last)*1e9 + more
}

// isGone says that an entry went away, or became something else, since its name was read. In a tree
// that lives this is normal.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || isOneOf(err, []error{syscall.ENOTDIR, syscall.ELOOP})
}

// isShortage says that this host has no room to look any further.
func isShortage(err error) bool {
	return isOneOf(err, []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM})
}

func isOneOf(err error, causes []error) bool {
	for _, cause := range causes {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
