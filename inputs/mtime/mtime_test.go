package mtime

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

type ages = map[string]time.Duration

const day = 24 * time.Hour

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		files   ages
		options string
		status  pipeline.Status
		says    []string
		attrs   map[string]any
	}{
		{"nothing changed", ages{"a": day, "b/c": 2 * day}, "", pipeline.Ok,
			[]string{"no file changed within the last 3m", "of 2 files the newest changed at 2026-11-22 12:00:00 UTC, 24h ago"},
			map[string]any{"files": 2, "changed": 0, "unreadable": 0, "future": 0, "newest_age_seconds": 86400.0}},
		{"a file deep below changed", ages{"a": day, "b/c/d": 12 * time.Second}, "", pipeline.Warning,
			[]string{"1 of 2 files changed, the newest at 2026-11-23 11:59:48 UTC", "12s ago: `b/c/d`", "find "},
			map[string]any{"files": 2, "changed": 1, "newest_age_seconds": 12.0}},
		{"changed a moment less than time_span ago", ages{"a": time.Hour - time.Second}, "time_span = \"1h\"", pipeline.Warning, nil, nil},
		{"changed time_span ago", ages{"a": time.Hour}, "time_span = \"1h\"", pipeline.Ok, nil, nil},
		{"an empty directory", nil, "", pipeline.Ok, []string{"no file at all"}, map[string]any{"files": 0, "newest_age_seconds": nil}},
		{"a file of the future is not for ever changed", ages{"a": -time.Hour, "b": day}, "", pipeline.Ok,
			[]string{"dated in the future", "`a`: 2026-11-23 13:00:00 UTC"}, map[string]any{"files": 2, "changed": 0, "future": 1, "newest_age_seconds": 86400.0}},
		{"a file changed beside one of the future", ages{"a": -time.Hour, "b": time.Second}, "", pipeline.Warning, []string{"1s ago: `b`", "dated in the future"}, nil},
		{"only files of the future", ages{"a": -time.Hour}, "", pipeline.Ok, []string{"1 files, all of them dated in the future"}, map[string]any{"newest_age_seconds": nil}},
		{"a file server's clock is a second ahead", ages{"a": -time.Second}, "", pipeline.Warning, []string{"0s ago: `a`"}, map[string]any{"newest_age_seconds": 0.0}},
		{"a file from before 1970", ages{"a": noon.Sub(time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC))}, "", pipeline.Ok, []string{"1950-01-01"}, nil},

		{"stale: a fresh backup", ages{"a": time.Hour, "b": 9 * day}, "alert_if = \"stale\"\ntime_span = \"1d\"", pipeline.Ok,
			[]string{"a file that changed within the last 24h", "`a`"}, map[string]any{"files": 2, "changed": 1, "newest_age_seconds": 3600.0}},
		{"stale: the backups stopped", ages{"x/a": 2 * day, "x/b": 9 * day}, "alert_if = \"stale\"\ntime_span = \"1d\"", pipeline.Warning,
			[]string{"of 2 files the newest changed at 2026-11-21 12:00:00 UTC, 48h ago: `x/a`", "`ls -lat "}, map[string]any{"changed": 0}},
		{"stale: an empty directory", nil, "alert_if = \"stale\"", pipeline.Warning, []string{"no file at all"}, nil},
		{"stale: a file of the future is no backup", ages{"a": -time.Hour, "b": day}, "alert_if = \"stale\"", pipeline.Warning, []string{"24h ago: `b`", "dated in the future"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := plant(t, c.files)
			withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
				e := look(t, probe(t, open, root, c.options))
				want(t, e, c.status, append(c.says, "**directory**: "+root)...)
				wantAttrs(t, e, c.attrs)
			})
		})
	}
}

func TestWhatIsLookedAt(t *testing.T) {
	t.Parallel()
	files := ages{"top.log": day, "top.tmp": day, "a/one.log": day, "a/one.tmp": day, "a/b/two.log": day, "node_modules/x/y": day, "a/node_modules/z": day}
	for _, c := range []struct {
		name, options string
		files         int
	}{
		{"the whole tree", "", 7},
		{"recursive = false is the directory alone", "recursive = false", 2},
		{"max_depth = 1 is the same", "max_depth = 1", 2},
		{"max_depth = 2", "max_depth = 2", 4},
		{"max_depth beyond the tree", "max_depth = 9", 7},
		{"exclude by name, everywhere", `exclude = ["*.tmp"]`, 5},
		{"an excluded directory is not entered", `exclude = ["node_modules"]`, 5},
		{"exclude by path", `exclude = ["a/node_modules"]`, 6},
		{"exclude what is in a directory, however deep", `exclude = ["a/*"]`, 3},
		{"several patterns, each for itself", `exclude = ["*.log", "node_modules"]`, 2},
		{"exclude everything", `exclude = ["*"]`, 0},
		{"one worker", "concurrency = 1", 7},
		{"more workers than files", "concurrency = 64", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := plant(t, files)
			withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
				tr := &trap{open: open}
				wantAttrs(t, look(t, probe(t, tr.begin, root, c.options)), map[string]any{"files": c.files})
				tr.wantAllClosed(t)
			})
		})
	}
}

func TestAnExcludedDirectoryIsNotEntered(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"cache/a": 0, "b": day})
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		tr := &trap{open: open, onOpen: func(path string) error {
			if path != "" {
				t.Errorf("%s was opened", path)
			}
			return nil
		}}
		want(t, look(t, probe(t, tr.begin, root, `exclude = ["cache"]`)), pipeline.Ok)
	})
}

func TestLinksAreNotFollowedSaveTheDirectoryItself(t *testing.T) {
	t.Parallel()
	elsewhere := plant(t, ages{"fresh": 0, "sub/fresh": 0})
	root := plant(t, ages{"old": day})
	for name, to := range map[string]string{"file": filepath.Join(elsewhere, "fresh"), "dir": elsewhere, "loop": root, "dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	toRoot := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, toRoot); err != nil {
		t.Fatal(err)
	}
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		for _, path := range []string{root, toRoot} {
			for _, blurred := range []bool{false, true} {
				e := look(t, probe(t, (&trap{open: open, blurred: blurred}).begin, path, ""))
				want(t, e, pipeline.Ok)
				wantAttrs(t, e, map[string]any{"files": 1, "unreadable": 0})
				if e.Labels.Get("directory") != path {
					t.Errorf("labels %s", e.Labels)
				}
			}
		}
	})
}

func TestFileSystemsThatDoNotSayWhatAnEntryIs(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"a": day, "b/c": day, "b/d/e": 0})
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		e := look(t, probe(t, (&trap{open: open, blurred: true}).begin, root, ""))
		want(t, e, pipeline.Warning, "`b/d/e`")
		wantAttrs(t, e, map[string]any{"files": 3, "changed": 1})
	})
}

func TestTheNewest20AreShownAndAllAreCounted(t *testing.T) {
	t.Parallel()
	files := ages{}
	for i := range 150 {
		files[fmt.Sprintf("dir%d/file-%03d", i%7, i)] = time.Duration(i%75+1) * time.Second // two of each age
	}
	root := plant(t, files)
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		first := look(t, probe(t, open, root, ""))
		want(t, first, pipeline.Warning, "150 of 150 files changed", "newest first**: 150\n",
			"\n  - 1s ago: `dir0/file-000`\n  - 1s ago: `dir5/file-075`\n  - 2s ago: ", "\n  - 10s ago: `dir0/file-084`\n  - 10s ago: `dir2/file-009`\n  - … and 130 more")
		if n := strings.Count(first.Description, "\n  - "); n != 20+1 {
			t.Errorf("%d lines", n)
		}
		for range 5 {
			if again := look(t, probe(t, open, root, "concurrency = 16")); again.Description != first.Description {
				t.Errorf("not the same again:\n%s\n%s", first.Description, again.Description)
			}
		}
	})
}

func TestLongListsOfLongNamesFitIntoADescription(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	long := strings.Repeat("ß", 60)
	tr := &trap{open: openPortable, onStat: func(path string) error {
		if strings.Contains(path, "secret") {
			return os.ErrPermission
		}
		return nil
	}}
	for i := range 30 {
		write(t, filepath.Join(root, long, fmt.Sprintf("%s-%d", long, i)), time.Duration(i)*time.Second)
		write(t, filepath.Join(root, long, fmt.Sprintf("%s-secret-%d", long, i)), 0)
		write(t, filepath.Join(root, long, fmt.Sprintf("%s-future-%d", long, i)), -time.Hour)
	}
	e := look(t, probe(t, tr.begin, root, ""))
	want(t, e, pipeline.Warning, "newest first**: 30\n", "more\n- **unreadable", "**: 30\n", "dated in the future", "look further**: `find")
	if len(e.Description) > pipeline.MaxDescription {
		t.Errorf("%d bytes", len(e.Description))
	}
}

func TestNamesThatWouldSpoilATerminalOrMarkdown(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("such names cannot be made here")
	}
	root := plant(t, ages{"new\nline": 0, "tick`s": time.Second, "esc\x1b[2J": 2 * time.Second, "not-utf8-\xff": 3 * time.Second})
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		want(t, look(t, probe(t, open, root, "")), pipeline.Warning, "`new line`", "`tick's`", "`esc·[2J`", "`not-utf8-\uFFFD`")
	})
}

func TestItRecoversByItselfAfterTimeSpan(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"a": time.Second})
	p := probe(t, openFolder, root, "")
	want(t, look(t, p), pipeline.Warning)
	p.now = func() time.Time { return noon.Add(3 * time.Minute) }
	want(t, look(t, p), pipeline.Ok)
}

func TestAFileThatChangesDuringTheWalkIsNotOfTheFuture(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"a": -time.Minute})
	p := probe(t, openFolder, root, "")
	calls := 0
	p.now = func() time.Time { calls++; return noon.Add(time.Duration(calls-1) * time.Minute) } // a minute passes
	e := look(t, p)
	want(t, e, pipeline.Warning, "0s ago: `a`")
	wantAttrs(t, e, map[string]any{"future": 0, "newest_age_seconds": 0.0})
}

func TestManyDirectories(t *testing.T) {
	t.Parallel()
	quiet, busy, third := plant(t, ages{"a": day}), plant(t, ages{"a": 0}), plant(t, ages{"a": day})
	p := probe(t, openFolder, quiet, fmt.Sprintf("directories = [%q, %q]", busy, third))
	events := pipetest.Gather(t, p)
	var got []string
	for _, e := range events {
		got = append(got, e.Labels.String()+" "+e.Status.String())
	}
	wanted := []string{
		"check=files directory=" + quiet + " Ok", "check=files directory=" + busy + " Warning", "check=files directory=" + third + " Ok",
	}
	if strings.Join(got, "\n") != strings.Join(wanted, "\n") {
		t.Errorf("got %q, want %q", got, wanted)
	}
	for i, key := range p.Keys() {
		if key.String() != events[i].Labels.String() {
			t.Errorf("key %s, labels %s", key, events[i].Labels)
		}
	}
	if got := p.MaxGather(); got != 3*(time.Minute+time.Second) {
		t.Errorf("MaxGather %s", got)
	}
}

func TestTheOriginalsOptions(t *testing.T) {
	t.Parallel()
	p := New()
	pipetest.Options(t, "time_span = \"3m\"\ndirectory = \"/tmp\"\ncheck = \"new files\"\n", p)
	if got := p.Keys()[0].String(); got != "check=new files directory=/tmp" {
		t.Errorf("labels %s", got)
	}
	if p.AlertIf != changed || !p.Recursive || p.MaxDepth != 0 || p.TimeSpan.Std() != 3*time.Minute {
		t.Errorf("%+v", p)
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options string
		says    []string
	}{
		{"", []string{"check: give the check a name"}},
		{"directories = [\"/a\", \"\"]\ncheck = \"x\"", []string{"test.toml:1: directories[1]: \"\" cannot be a directory"}},
		{"directory = \"a\\u0000b\"\ncheck = \"x\"", []string{"cannot be a directory"}},
		{"directory = \"/a\"", []string{"check: give the check a name"}},
		{"alert_if = \"stall\"", []string{`alert_if: "stall" is not one of "changed", "stale"; did you mean "stale"?`}},
		{"time_span = 0", []string{"time_span: must be more than 0"}},
		{"time_span = \"soon\"", []string{"time_span"}},
		{"max_depth = -1", []string{"max_depth: must be 0 (no limit) or more"}},
		{"max_depth = 2\nrecursive = false", []string{"max_depth: counts only with recursive = true"}},
		{"recursive = \"yes\"", []string{"recursive"}},
		{"concurrency = 0", []string{"concurrency: ", "between 1 and 64"}},
		{"concurrency = 65", []string{"between 1 and 64"}},
		{"timeout = 0", []string{"timeout: must be more than 0"}},
		{`exclude = ["[a"]`, []string{"exclude[0]: the glob"}},
		{`exclude = ["/var/cache"]`, []string{"exclude[0]: \"/var/cache\" would exclude nothing: it is compared with paths below the directory"}},
		{`exclude = ["a", "cache/"]`, []string{`exclude[1]: "cache/" would exclude nothing: leave out the last "/"`}},
		{`exclude = ["./a"]`, []string{`leave out the "./"`}},
		{`exclude = [""]`, []string{"it is empty"}},
		{`directorys = []`, []string{"directorys", "did you mean"}},
	} {
		t.Run(strings.ReplaceAll(c.options, "\n", " "), func(t *testing.T) {
			t.Parallel()
			pipetest.WantError(t, pipetest.TryOptions(c.options, New()), c.says...)
		})
	}
}
