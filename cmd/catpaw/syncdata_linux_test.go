package main

import (
	"os"
	"syscall"
)

// syncData is how bbolt has the disk keep what was written.
func syncData(file *os.File) error { return syscall.Fdatasync(int(file.Fd())) }
