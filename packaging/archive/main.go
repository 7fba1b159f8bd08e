// Command archive packs a directory as .tar.gz or .zip, the same bytes for the same files:
//
//	SOURCE_DATE_EPOCH=1700000000 archive OUT.tar.gz DIR
//
// Names begin with that of the directory; owners are left out, times are those of SOURCE_DATE_EPOCH
// (https://reproducible-builds.org/specs/source-date-epoch/).
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := pack(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func pack(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: archive OUT.tar.gz|OUT.zip DIR")
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return errors.New("set SOURCE_DATE_EPOCH to a time in unix seconds")
	}
	out, dir, at := args[0], args[1], time.Unix(epoch, 0).UTC()
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	write := packTar
	if strings.HasSuffix(out, ".zip") {
		write = packZip
	}
	return errors.Join(write(file, dir, at), file.Close())
}

// each hands over the files of a directory in order of their names, which begin with the directory's.
func each(dir string, add func(name string, mode fs.FileMode, size int64, content io.Reader) error) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(dir), path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		return add(filepath.ToSlash(name), mode, info.Size(), file)
	})
}

func packTar(to io.Writer, dir string, at time.Time) error {
	compressed, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	err = each(dir, func(name string, mode fs.FileMode, size int64, content io.Reader) error {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: int64(mode), Size: size, ModTime: at, Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := io.Copy(archive, content)
		return err
	})
	return errors.Join(err, archive.Close(), compressed.Close())
}

func packZip(to io.Writer, dir string, at time.Time) error {
	archive := zip.NewWriter(to)
	err := each(dir, func(name string, mode fs.FileMode, _ int64, content io.Reader) error {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
		header.SetMode(mode)
		w, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, content)
		return err
	})
	return errors.Join(err, archive.Close())
}
