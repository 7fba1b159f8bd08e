//go:build !linux

package main

import "os"

// syncData is how bbolt has the disk keep what was written.
func syncData(file *os.File) error { return file.Sync() }
