package filechange

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"syscall"
	"time"
)

// state is what is remembered of a file. Of a symbolic link it is the target's, with the link's text.
type state struct {
	mode     fs.FileMode
	size     int64
	mtime    int64 // unix nanoseconds
	ctime    int64 // likewise; 0 where the platform keeps none
	inode    uint64
	uid, gid int64  // -1 where the platform has none
	link     string // where the symbolic link leads, "" = it is none
	sum      string // SHA-256 of the content, "" = not known
	settled  bool   // the content can hardly have changed unnoticed since sum was taken: see sum.go
}

// look takes the state of a file, but for its checksum. It never opens the file. Where the file is not
// there, the link that should lead to it may be; the error says why nobody knows.
func look(path string) (s state, there bool, err error) {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		s.link, _ = os.Readlink(path)
		info, err = os.Stat(path)
	}
	switch {
	case isGone(err):
		return s, false, nil
	case err != nil:
		return s, false, err
	}
	s.mode, s.size, s.mtime = info.Mode(), info.Size(), nanoseconds(info.ModTime())
	s.fill(info)
	return s, true, nil
}

// isGone reports whether there is no such file, or no longer a directory where it was.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// nanoseconds is t.UnixNano, but for times that do not fit (beyond the years 1678 to 2262, which file
// systems know), of which it is the nearest.
func nanoseconds(t time.Time) int64 {
	const most = math.MaxInt64 / int64(time.Second)
	switch seconds := t.Unix(); {
	case seconds >= most:
		return math.MaxInt64
	case seconds <= -most:
		return math.MinInt64
	}
	return t.UnixNano()
}

// differs reports whether two states of a file are different as far as both are known. The inode alone
// does not count: file systems without real ones give a file another at every mount, and whatever really
// replaces a file gives it another ctime too.
func (s *state) differs(other *state) bool {
	return !s.sameStat(other) || s.mode != other.mode || s.uid != other.uid || s.gid != other.gid ||
		s.link != other.link || s.contentDiffers(other)
}

// sameStat reports whether nothing hints at another content.
func (s *state) sameStat(other *state) bool {
	return s.size == other.size && s.mtime == other.mtime && s.ctime == other.ctime
}

// contentDiffers and sameContent judge by checksums; where one is not known, neither holds.
func (s *state) contentDiffers(other *state) bool {
	return s.sum != "" && other.sum != "" && s.sum != other.sum
}

func (s *state) sameContent(other *state) bool { return s.sum != "" && s.sum == other.sum }
