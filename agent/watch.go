package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// watch looks whether the files of a configuration have changed. It asks for names, sizes and times, which works on
// every file system, also through the links of mounted secrets and on shares that tell nobody of changes.
type watch struct {
	dir    string
	loaded string // as they were when they were read last
	last   string // as of the last look
}

// read notes how the files are, before they are read.
func (w *watch) read() { w.loaded = signature(w.dir); w.last = w.loaded }

// changed reports whether the files are no longer as they were read, and have been left alone since the last
// look: who saves several files gets one reload.
func (w *watch) changed() bool {
	now := signature(w.dir)
	settled := now == w.last
	w.last = now
	return settled && now != w.loaded
}

// signature is the same as long as nobody changes the files.
func signature(dir string) string {
	var all strings.Builder
	note := func(path string) {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			fmt.Fprintln(&all, path, info.Size(), info.ModTime().UnixNano(), info.Mode())
		} else {
			fmt.Fprintln(&all, path, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		fmt.Fprintln(&all, err) // so that an empty one that comes back is a change
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		isProbe := strings.HasPrefix(entry.Name(), "p.")
		if isProbe || isConfiguration(entry.Name()) {
			note(path)
		}
		if !isProbe {
			continue
		}
		files, _ := os.ReadDir(path) // one that cannot be read has none
		for _, file := range files {
			if isConfiguration(file.Name()) {
				note(filepath.Join(path, file.Name()))
			}
		}
	}
	return all.String()
}
