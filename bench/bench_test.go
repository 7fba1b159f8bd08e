package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryRowHasItsBenchmark(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row.key()] {
			t.Errorf("%s stands there twice", row.key())
		}
		seen[row.key()] = true
		parts := strings.Split(row.name, "/")
		files, _ := filepath.Glob(filepath.Join("..", row.dir, row.pkg, "*_test.go"))
		found := false
		for _, file := range files {
			text, _ := os.ReadFile(file)
			found = found || strings.Contains(string(text), "func Benchmark"+parts[0]+"(b *testing.B)")
		}
		if !found {
			t.Errorf("%s: there is no Benchmark%s in %d files", row.key(), parts[0], len(files))
		}
	}
}

func TestALineOfGoTestIsRead(t *testing.T) {
	t.Parallel()
	f, err := parse([]byte("goos: linux\nBenchmarkTargets/x1-2 \t 5\t 10.5 MiB\t 4 MiB/bare\t 500 ms\nPASS\n"))
	if err != nil || f.String() != "10.5 MiB, 4.00 MiB/bare, 500 ms" {
		t.Error(f, err)
	}
	if f, err := parse([]byte("--- SKIP: BenchmarkKafka\nok  \tcatpaw\t1.2s\n")); f != nil || err != nil {
		t.Error(f, err)
	}
	if _, err := parse([]byte("BenchmarkX 5 many ms\n")); err == nil {
		t.Error("no error")
	}
}

func TestWhatWasSkippedStaysWhatIsMisspeltFails(t *testing.T) {
	t.Parallel()
	old := measured{figures{"ms": 1}, stamp{"2026-11-23T10:00:00Z", "0123abc"}}
	for output, c := range map[string]struct {
		ms  float64
		err bool
	}{
		"BenchmarkB\nBenchmarkB/x1-2 \t 5\t 10.5 ms\nPASS\n":            {ms: 10.5},
		"BenchmarkB\n    b_test.go:1: no fping\n--- SKIP: BenchmarkB\n": {ms: 1},
		"BenchmarkB\nPASS\nok  \tp\t0.01s\n":                            {ms: 1, err: true},
	} {
		found := results{"p.B": old}
		if err := found.take("p.B", []byte(output), stamp{}); (err != nil) != c.err || found["p.B"].figures["ms"] != c.ms {
			t.Errorf("%q: %v, %v", output, found, err)
		}
		if is := found["p.B"].of != old.of; is != (c.ms != 1) {
			t.Errorf("%q: of %v", output, found["p.B"].of)
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	r := row{pkg: "./p", name: "B", grows: true}
	found := results{"p.B/x1": {figures: figures{"ms": 12, "ms/bare": 10, "events/s": 50, "events/s/bare": 2, "MiB": 17}}}
	for _, c := range []struct {
		bound bound
		value string
		word  string
	}{
		{ratio("ms", 1.2), "1.20 ×", "holds"},
		{ratio("ms", 1.1), "1.20 ×", "BROKEN"},
		{atLeast("events/s", 25), "25.0 ×", "holds"},
		{atLeast("events/s", 26), "25.0 ×", "BROKEN"},
		{alone("MiB", 17), "17.0", "holds"},
		{alone("MiB", 16), "17.0", "BROKEN"},
		{above("ms", 2), "2.00 more", "holds"},
		{above("ms", 1), "2.00 more", "BROKEN"},
		{above("MiB", 20), "not measured", "missing"},
		{ratio("MiB", 2), "not measured", "missing"}, // nothing to compare with
		{ratio("ms-cpu", 2), "not measured", "missing"},
	} {
		if v := r.verdict(found, c.bound); v.value != c.value || v.word() != c.word {
			t.Errorf("%s %s: %s, %s", c.bound.unit, c.bound, v.value, v.word())
		}
	}
}

func TestGrowthIsThatOfOnePiece(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit         string
		small, large float64
		want         float64
	}{
		{"ms", 10, 160, 1}, {"ms", 10, 320, 2}, {"events/s", 100, 50, 2}, {"B/alert", 400, 400, 1},
		{"allocs/run", 65, 65, 1}, {"goroutines", 15, 240, 1},
	} {
		if got := growthOf(c.unit, c.small, c.large, 16); got != c.want {
			t.Errorf("%v: %g", c, got)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.txt")
	first := rows[0]
	old, newer := stamp{"2026-11-23T10:00:00Z", "0123abc"}, stamp{"2026-11-24T10:00:00Z", "4567def-dirty"}
	found := results{
		first.keyAt("x1"): {figures{"ms": 1.25, "ms/bare": 1}, newer}, first.keyAt("x4"): {figures{"ms": 5}, old},
		first.keyAt("x16"): {figures{"ms": 20}, stamp{}}, "gone.Row": {figures{"ms": 1}, newer},
	}
	if err := os.WriteFile(path, []byte(raw(found)), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := readResults(path)
	if err != nil || len(again) != 3 || again[first.keyAt("x1")].figures["ms"] != 1.25 {
		t.Errorf("%v, %v", again, err)
	}
	for key, m := range again {
		if m.of != found[key].of {
			t.Errorf("%s is of %v", key, m.of)
		}
	}
	for _, piece := range []string{
		"| 1.25 × | ≤ 3 × | holds |  |", "Last measured on 2026-11-24, commit 4567def-dirty: ",
		"| 2026-11-23, commit 0123abc; some time before |", // its growth is of both
		"/x4 | 5.00 ms |  | 2026-11-23, commit 0123abc |",
	} {
		if text := report(again); !strings.Contains(text, piece) {
			t.Errorf("%q is not in\n%s", piece, text)
		}
	}
	if err := xml.Unmarshal([]byte(plot(again)), new(any)); err != nil {
		t.Error(err)
	}
	if none, err := readResults(path + ".none"); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

func TestOnlyBrokenBoundsSayWhereTheLimitLies(t *testing.T) {
	t.Parallel()
	all := []row{
		{what: "fast", pkg: "./p", name: "A", bounds: []bound{alone("ms", 5)}, limit: "the disk"},
		{what: "slow", pkg: "./p", name: "B", bounds: []bound{alone("MiB", 9), alone("ms", 5)}, limit: "the network"},
		{what: "slow as well", pkg: "./p", name: "C", bounds: []bound{alone("ms", 5)}},
		{what: "not there", pkg: "./p", name: "D", bounds: []bound{alone("ms", 5)}, limit: "the memory"},
	}
	found := results{"p.A": {figures: figures{"ms": 4}}, "p.B": {figures: figures{"MiB": 1, "ms": 6}}, "p.C": {figures: figures{"ms": 6}}}
	var text strings.Builder
	limits(&text, all, found)
	if got := text.String(); got != "\n**slow**: the network\n" {
		t.Errorf("got %q", got)
	}
}
