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

// BenchmarkUnchanged compares a run over 10,000 files in which nothing changed with a bare WalkDir that
// takes the state of each file, in turn.
func BenchmarkUnchanged(b *testing.B) {
	for _, checksum := range []bool{false, true} {
		b.Run(fmt.Sprintf("checksum=%v", checksum), func(b *testing.B) {
			w := watch(b, fmt.Sprintf("filepaths = [\"DIR/**\"]\nchecksum = %v", checksum))
			for i := range benchFiles {
				w.write(fmt.Sprintf("d%02d/file-%d", i%100, i), "hello")
			}
			w.pass(time.Hour)
			w.wantOk()
			var probe, bare []time.Duration
			for b.Loop() {
				for range 5 {
					bare = append(bare, measure.CPUOf(func() { walk(b, w.dir) }))
					probe = append(probe, measure.CPUOf(func() { w.wantOk() }))
				}
			}
			b.ReportMetric(float64(measure.Median(probe).Nanoseconds())/benchFiles, "ns-cpu/file")
			b.ReportMetric(float64(measure.Median(bare).Nanoseconds())/benchFiles, "ns-cpu/bare")
			b.ReportMetric(float64(measure.Median(probe))/float64(measure.Median(bare)), "cpu-ratio(bound=1.5)")
			b.ReportMetric(float64(len(w.memory.Memo))/benchFiles, "memo-B/file")
		})
	}
}

func walk(b *testing.B, dir string) {
	seen := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		seen++
		_, err = os.Lstat(path)
		return err
	})
	if err != nil || seen != benchFiles {
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
