//go:build linux

package journaltail

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const benchLines = 100_000

// manyLines makes a journal of benchLines lines as services write them.
func manyLines(b *testing.B) (dir string) {
	dir = directory(b)
	entries := make([]written, benchLines)
	for i := range entries {
		entries[i] = entryOf(time.Duration(i-benchLines)*time.Millisecond/10, fmt.Sprintf("GET /api/v1/items/%d 200 %d ms: nothing of note", i, i%300),
			"PRIORITY=6", "_COMM=app", "_EXE=/usr/bin/app", "_CMDLINE=/usr/bin/app --serve --port 8080", "_UID=1000", "_GID=1000",
			"_SYSTEMD_CGROUP=/system.slice/app.service", "_SYSTEMD_SLICE=system.slice", "_MACHINE_ID=0123456789abcdef0123456789abcdef", "_TRANSPORT=stdout")
	}
	write(b, dir, "system", entries...)
	return dir
}

// BenchmarkLines compares one run over 100,000 lines, with two patterns, with journalctl -o json | wc -l.
func BenchmarkLines(b *testing.B) {
	dir := manyLines(b)
	p := New()
	p.now = func() time.Time { return start }
	pipetest.Options(b, fmt.Sprintf("check = 'c'\ndirectory = '%s'\ntimeout = '1m'\nfilter_include = ['*Out of memory*', '*table full*']", dir), p)
	check := pipetest.Check(p)
	measure.Compare(b,
		func() measure.Figures { return measure.Run(func() { wantAllRead(b, check) }) },
		func() measure.Figures { return measure.Run(func() { countLines(b, dir) }) })
}

func countLines(b *testing.B, dir string) {
	out, err := exec.Command("sh", "-c", "journalctl --no-pager -o json --directory='"+dir+"' | wc -l").Output()
	if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(benchLines) {
		b.Fatalf("%q, %v", out, err)
	}
}

func wantAllRead(b *testing.B, check *pipeline.Check) {
	events, _, err := pipeline.Look(b.Context(), check)
	if err != nil || len(events) != 1 || attr(events[0], "lines_read") != int64(benchLines) {
		b.Fatalf("%v, %v", events, err)
	}
}

// BenchmarkDecode is what the agent itself does with a line, beside journalctl: decode and match.
func BenchmarkDecode(b *testing.B) {
	dir := manyLines(b)
	output, err := exec.Command("journalctl", "--no-pager", "-o", "json", "--all", "--output-fields="+outputFields, "--directory="+dir).Output()
	if err != nil {
		b.Fatal(err)
	}
	p := New()
	pipetest.Options(b, "check = 'c'\nfilter_include = ['*Out of memory*', '*table full*']", p)
	b.SetBytes(int64(len(output)))
	b.ReportAllocs()
	for b.Loop() {
		r := round{now: start, forms: forms{zone: time.UTC}}
		if n, err := readEntries(bytes.NewReader(output), func(e *entry) bool { p.look(e, &r); return true }); n != benchLines || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(benchLines*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
