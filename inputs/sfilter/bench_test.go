//go:build linux

package sfilter

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// BenchmarkSearch compares with what a shell would do: cat FILE | grep -c, the same patterns. More than 1 GiB is the same
// file several times.
func BenchmarkSearch(b *testing.B) {
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
	}{
		{"OneGlob", globs[:1], []string{"-c", "CRITICAL"}},
		{"20Globs", globs, append([]string{"-c"}, each("-e", words)...)},
		{"5Regexps", []string{`/CRIT[A-Z]+ /`, `/disk \d+ failed/`, `/time[ -]out/`, `/(panic|oops): /`, `/^fatal:/`},
			[]string{"-cE", "-e", "CRIT[A-Z]+ ", "-e", "disk [0-9]+ failed", "-e", "time[ -]out", "-e", "(panic|oops): ", "-e", "^fatal:"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			measure.Grow(b, 1, func(b *testing.B, times int) {
				logs := slices.Repeat([]string{log}, times)
				p := New()
				pipetest.Options(b, fmt.Sprintf("check = 'log'\ntimeout = '5m'\ncommand = ['cat', '%s']\nfilter_include = ['%s']",
					strings.Join(logs, "', '"), strings.Join(c.include, "', '")), p)
				measure.Compare(b,
					func() measure.Figures { return measure.Run(func() { pipetest.Gather(b, p) }) },
					func() measure.Figures {
						shell := fmt.Sprintf(`cat %s | LC_ALL=C grep "$@"`, strings.Join(logs, " "))
						figures, err := measure.Command(exec.Command("sh", append([]string{"-c", shell, "sh"}, c.grep...)...))
						if err != nil {
							b.Fatal(err)
						}
						return figures
					})
			})
		})
	}
}

// each is the words, each behind a flag.
func each(flag string, words []string) (args []string) {
	for _, word := range words {
		args = append(args, flag, word)
	}
	return args
}
