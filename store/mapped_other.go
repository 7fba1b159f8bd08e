//go:build !linux

package store

// Forget is for Linux.
func (s *Store) Forget() {}
