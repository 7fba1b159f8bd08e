//go:build !linux

package mtime

func openFolder(path string) (folder, error) { return openPortable(path) }
