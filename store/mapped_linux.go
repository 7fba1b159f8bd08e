package store

import (
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Forget tells the kernel that the file's pages are not needed for now. bbolt reads through a mapping, so that all that
// was read once counts as resident: with 200,000 live alerts 40 MiB, after their start. What is needed again comes back
// from the kernel's cache, or from the disk.
func (s *Store) Forget() {
	s.mu.Lock()
	f := s.file
	s.mu.Unlock()
	if f == nil {
		return
	}
	_ = f.read(func(tx *bbolt.Tx) error { // as long as it is open, nothing else can be on the mapping's place
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED)
		return nil
	})
}
