//go:build linux

package sfilter

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline/pipetest"
)

// benchSize is how much text is searched: 1 GiB, or less where the disk is short.
const benchSize = 1 << 30

// bigLog writes a file of log lines, one of 10,000 of them with CRITICAL.
func bigLog(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	for written, i := 0, 0; written < benchSize; i++ {
		word := "info"
		if i%10_000 == 0 {
			word = "CRITICAL"
		}
		n, err := fmt.Fprintf(w, "2024-12-16T09:00:05.123456+01:00 web1 nginx[%d]: %s request %d of client 10.1.2.%d took %d ms and gave status 200\n", i%5000, word, i, i%256, i%977)
		if err != nil {
			b.Skip(err)
		}
		written += n
	}
	if err := w.Flush(); err != nil {
		b.Skip(err)
	}
	file.Close()
	return path
}

func seconds(f func()) float64 {
	begun := time.Now()
	f()
	return time.Since(begun).Seconds()
}

// BenchmarkBigOutput compares with what a shell would do: cat FILE | grep -c, the same patterns.
func BenchmarkBigOutput(b *testing.B) {
	log := bigLog(b)
	words := strings.Fields("CRITICAL panic segfault oops refused denied corrupt broken expired overrun underrun deadlock leaked aborted killed hung stuck lost dropped failed")
	globs := make([]string, len(words))
	for i, word := range words {
		globs[i] = "*" + word + "*"
	}
	for _, c := range []struct {
		name    string
		include []string
		grep    []string
		bound   string
	}{
		{"one glob", globs[:1], []string{"-c", "CRITICAL"}, "1.3"},
		{"20 globs", globs, append([]string{"-c"}, each("-e", words)...), "2"},
		{"5 regexps", []string{`/CRIT[A-Z]+ /`, `/disk \d+ failed/`, `/time[ -]out/`, `/(panic|oops): /`, `/^fatal:/`},
			[]string{"-cE", "-e", "CRIT[A-Z]+ ", "-e", "disk [0-9]+ failed", "-e", "time[ -]out", "-e", "(panic|oops): ", "-e", "^fatal:"}, "4"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := New()
			pipetest.Options(b, fmt.Sprintf("check = 'log'\ntimeout = '5m'\ncommand = ['cat', %q]\nfilter_include = ['%s']", log, strings.Join(c.include, "', '")), p)
			shell := exec.Command("sh", "-c", `cat "$0" | LC_ALL=C grep "$@"`, log)
			var ours, theirs []float64
			for b.Loop() {
				for range 5 {
					theirs = append(theirs, seconds(func() {
						cmd := exec.Command(shell.Path, append(shell.Args[1:], c.grep...)...)
						if err := cmd.Run(); err != nil {
							b.Fatal(err)
						}
					}))
					ours = append(ours, seconds(func() { pipetest.Gather(b, p) }))
				}
			}
			b.ReportMetric(measure.Median(ours), "s")
			b.ReportMetric(measure.Median(theirs), "s-grep")
			b.ReportMetric(measure.Median(ours)/measure.Median(theirs), "ratio(bound="+c.bound+")")
		})
	}
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			b.ReportMetric(peak(b, log)-peak(b, "/dev/null"), "MiB-above-idle(bound=8)")
		}
	})
}

func each(flag string, words []string) (args []string) {
	for _, word := range words {
		args = append(args, flag, word)
	}
	return args
}

// bePeak makes this test binary search a file once, so that its memory can be measured.
const bePeak = "CATPAW_TEST_SEARCH"

// peak is the most memory, in MiB, that a process holds which searches the file.
func peak(b *testing.B, path string) float64 {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestSearchForParent$")
	cmd.Env = append(os.Environ(), bePeak+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
}

func TestSearchForParent(t *testing.T) {
	path := os.Getenv(bePeak)
	if path == "" {
		t.Skip("it is for the benchmark of memory")
	}
	pipetest.Gather(t, func() *Probe {
		p := New()
		pipetest.Options(t, fmt.Sprintf("check = 'log'\ntimeout = '5m'\ncommand = ['cat', %q]\nfilter_include = ['*CRITICAL*']", path), p)
		return p
	}())
}
