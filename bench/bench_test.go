package main

import (
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
			if !strings.Contains(string(text), "func Benchmark"+parts[0]+"(b *testing.B)") {
				continue
			}
			found = true
			for _, sub := range parts[1:] {
				if _, err := strconv.Atoi(sub); err != nil && !strings.Contains(string(text), strconv.Quote(sub)) { // a number is made
					t.Errorf("%s: there is no %q in %s", row.key(), sub, file)
				}
			}
		}
		if !found {
			t.Errorf("%s: there is no Benchmark%s in %d files", row.key(), parts[0], len(files))
		}
	}
}

func TestTheCommitIsThatOfWhatIsMeasured(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	commit := func() string {
		t.Helper()
		git("add", ".")
		git("commit", "-q", "-m", "a change")
		return git("rev-parse", "--short", "HEAD")
	}
	git("init", "-q")
	write("agent/a.go", "1")
	code := commit()
	write("bench/limits.go", "1")
	if text := commit(); now().commit != code {
		t.Errorf("%s, want %s, not %s", now().commit, code, text)
	}
	write("bench/limits.go", "2")
	if got := now().commit; got != code {
		t.Errorf("%s after a change of bench", got)
	}
	write("agent/a.go", "2")
	if got := now().commit; got != code+dirty {
		t.Errorf("%s after a change of the agent", got)
	}
}

func TestACheckWithoutABoundFails(t *testing.T) {
	t.Parallel()
	if err := run(true, "catpaw.Status$"); err == nil || !strings.Contains(err.Error(), `"catpaw.Status$" fits has a bound`) {
		t.Error(err)
	}
	if err := run(true, "no such row"); err == nil || !strings.Contains(err.Error(), "no benchmark fits") {
		t.Error(err)
	}
}

func TestNumbersAreShort(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.00", 0.004: "0.00", -0.004: "0.00", 9.4: "9.40", 9.996: "10.0", 99.96: "100", 999.6: "1000", 9_999.4: "9999",
		9_999.6: "10k", 10_000: "10k", 20_300: "20k", -9.4: "-9.40", -15.25: "-15.2", -353.4: "-353", -12_345: "-12k",
	} {
		if got := short(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestCaptionsFitAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, row := range rows {
		text := caption(row.what)
		if other, there := seen[text]; there && other != row.what {
			t.Errorf("%q is the caption of both %q and %q", text, other, row.what)
		}
		seen[text] = row.what
	}
	for text, want := range map[string]string{
		"short": "short", strings.Repeat("a", 44): strings.Repeat("a", 44),
		strings.Repeat("a", 50):          strings.Repeat("a", 44) + " …",
		"b" + strings.Repeat("×", 30):    "b" + strings.Repeat("×", 21) + " …", // no half of a sign
		"two " + strings.Repeat("a", 50): "two …",
	} {
		if got := caption(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
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
		"/x4 |  | 5.00 ms |  | 2026-11-23, commit 0123abc |",
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

func TestWhatIsNoLineOfResultsIsAnError(t *testing.T) {
	t.Parallel()
	const good = "p.A 1 ms 2 ms/bare @ 2026-11-23T10:00:00Z 0123abc\n"
	for text, want := range map[string]string{
		good + "\n" + good:     "results.txt:2: an empty line",
		good + "p.B 1 ms 2\n":  `results.txt:2: p.B: "2" has no unit`,
		"p.B 1 ms MiB @ x y\n": `results.txt:1: p.B: "MiB" has no unit`,
		"p.B many ms\n":        "results.txt:1: p.B: ",
	} {
		path := filepath.Join(t.TempDir(), "results.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := readResults(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, found, err)
		}
	}
}

func TestAllLinesOfARowSayThatTheyAreOlder(t *testing.T) {
	t.Parallel()
	r := rows[0]
	old, newer := stamp{"2026-11-23T10:00:00Z", "0123abc"}, stamp{"2026-11-24T10:00:00Z", "4567def"}
	var text strings.Builder
	growthTable(&text, results{r.keyAt("x1"): {figures{"ms": 1, "ms-cpu": 1, "MiB": 1}, old}, "p.A": {figures{}, newer}})
	if got := strings.Count(text.String(), "| 2026-11-23, commit 0123abc |\n"); got != 3 {
		t.Errorf("%d of 3 lines in\n%s", got, text.String())
	}
}

func TestAllFiguresSayOnceWhatARowIs(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	allFigures(&text, results{rows[0].keyAt("x4"): {figures: figures{"ms": 1}}})
	for _, piece := range []string{
		"Start/1/x1 | exec to first probe seen, 1 check; beside: a Go program that opens the same store and ends | not measured |",
		"Start/1/x4 |  | 1.00 ms |", "| cmd/catpaw.Binary | the binary | not",
	} {
		if !strings.Contains(text.String(), piece) {
			t.Errorf("%q is not in\n%s", piece, text.String())
		}
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
