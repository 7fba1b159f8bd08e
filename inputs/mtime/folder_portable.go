package mtime

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const entriesAtOnce = 512

// portable is a directory as package os reads it, on every system.
type portable struct {
	path string
	file *os.File
}

func openPortable(path string) (folder, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &portable{path, file}, nil
}

func (p *portable) open(name string) (folder, error) {
	path := filepath.Join(p.path, name)
	if info, err := os.Lstat(path); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return openPortable(path)
}

func (p *portable) read(b *batch) (more bool, err error) {
	b.entries = b.entries[:0]
	entries, err := p.file.ReadDir(entriesAtOnce)
	for _, e := range entries {
		b.entries = append(b.entries, entry{[]byte(e.Name()), kindOfMode(e.Type())})
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return len(entries) == entriesAtOnce, err
}

func kindOfMode(mode fs.FileMode) kind {
	switch {
	case mode.IsRegular():
		return regular
	case mode.IsDir():
		return subdir
	}
	return other
}

// stat asks the file itself: what Windows keeps in the directory is late for a file that is open.
func (p *portable) stat(name []byte) (modified int64, kind kind, err error) {
	info, err := os.Lstat(p.path + string(filepath.Separator) + string(name))
	if err != nil {
		return 0, other, err
	}
	at := info.ModTime()
	return nanoseconds(at.Unix(), int64(at.Nanosecond())), kindOfMode(info.Mode()), nil
}

func (p *portable) close() { _ = p.file.Close() }
