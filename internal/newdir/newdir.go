// Package newdir judges a directory that somebody names for something new to be written to.
package newdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Check refuses a directory in which something would be written over. An empty name is one: joined with the name of
// a file it means the current directory, which nobody asked to fill.
func Check(dir string) error {
	if dir == "" {
		return errors.New(`the name of the directory to write is empty; nothing is written. Name one, or "." for the current one`)
	}
	found, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("whether %s is empty cannot be seen: %w; name another directory; nothing is written", dir, cause(err))
	case len(found) > 0:
		return fmt.Errorf("%s is not empty (there is %s): name another directory; nothing is written", dir, found[0].Name())
	}
	return nil
}

func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
