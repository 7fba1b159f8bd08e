package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	maxFile   = 4 << 20  // bytes of a configuration file
	maxSecret = 64 << 10 // bytes of a secret's file
)

// readRegular reads a file that is one: a pipe would wait for ever, a device never end. Its errors do
// not name the file, which whoever asks knows.
func readRegular(path string, max int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, pathless(err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, pathless(err)
	}
	defer file.Close()
	data := bytes.NewBuffer(make([]byte, 0, min(info.Size(), max)+bytes.MinRead))
	size, err := data.ReadFrom(io.LimitReader(file, max+1))
	if err == nil && size > max {
		err = fmt.Errorf("it is larger than %d KiB", max>>10)
	}
	return data.Bytes(), pathless(err)
}

func pathless(err error) error {
	var perr *os.PathError
	if errors.As(err, &perr) {
		return perr.Err
	}
	return err
}
