//go:build unix

package filechange

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"catpaw/internal/measure"
)

const benchFiles = 10_000

// BenchmarkUnchanged compares a run over 6,000 files, 96,000 in the end, in which nothing changed with a bare WalkDir that takes the
// state of each file.
func BenchmarkUnchanged(b *testing.B) {
	measure.Grow(b, 6000, func(b *testing.B, n int) {
		w := watch(b, "filepaths = [\"DIR/**\"]\nmax_files = 100000")
		for i := range n {
			w.write(fmt.Sprintf("d%02d/file-%d", i%100, i), "hello")
		}
		w.pass(time.Hour)
		w.wantOk()
		measure.Compare(b,
			func() measure.Figures { return measure.Run(func() { w.wantOk() }) },
			func() measure.Figures { return measure.Run(func() { walk(b, w.dir, n) }) })
	})
}

func walk(b *testing.B, dir string, n int) {
	seen := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		seen++
		_, err = os.Lstat(path)
		return err
	})
	if err != nil || seen != n {
		b.Fatal(seen, err)
	}
}

// BenchmarkDecode is what a start costs.
func BenchmarkDecode(b *testing.B) {
	m := &memory{}
	for i := range benchFiles {
		m.files = append(m.files, record{fmt.Sprintf("/opt/somewhere/below/d%02d/file-%05d", i/100, i), state{mode: 0o644, size: int64(i), mtime: 1 << 60, ctime: 1 << 60, inode: uint64(i), sum: string(make([]byte, 32))}})
	}
	data := m.encode()
	for b.Loop() {
		if _, err := decode(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(data))/benchFiles, "B/file")
}
