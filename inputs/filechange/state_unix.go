//go:build unix

package filechange

import (
	"io/fs"
	"os"
	"syscall"
)

// hasCtime: whatever is done to a file shows in its ctime, which nobody can put back.
const hasCtime = true

func (s *state) fill(info fs.FileInfo) {
	s.uid, s.gid = -1, -1
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.ctime, s.inode = ctime(stat), uint64(stat.Ino)
		s.uid, s.gid = int64(stat.Uid), int64(stat.Gid)
	}
}

// openFile opens a file for reading. Where a FIFO has taken its place meanwhile, it does not wait for
// somebody to write.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
