package filechange

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

const onUnix = "only unix has this"

func skipOnWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip(onUnix)
	}
}

// Every row changes the file f, which held "hello" with an mtime of 2020, between two runs.
var changes = []struct {
	name     string
	unix     bool
	change   func(w *world)
	want     []string // that is said in any case
	checksum []string // and with checksum = true
}{
	{"a file is deleted", false,
		func(w *world) { w.must(os.Remove(w.path("f"))) },
		[]string{"f: deleted; made after ", "it had size 5 B, owner", "mtime 2020-01-02 03:04:05"}, nil},
	{"a file is created, though its mtime is old", false,
		func(w *world) { w.write("new", "four") },
		[]string{"new: created; ", "size 4 B"}, nil},
	{"a file is written", false,
		func(w *world) { w.must(os.WriteFile(w.path("f"), []byte("hello, world"), 0o644)) },
		[]string{"f: content changed", "size 5 B → 12 B", "mtime 2020-01-02 03:04:05 → 2"}, []string{"sha256 2cf24dba5fb0 → 09ca7e4eaa6e"}},
	{"a file is touched", false,
		func(w *world) { w.touch("f", time.Now()) },
		[]string{"touched", "size 5 B", "mtime 2020-01-02 03:04:05 → "}, []string{"f: touched, content the same"}},
	{"a file is touched with a date before", false,
		func(w *world) { w.touch("f", longAgo.Add(-time.Hour)) },
		[]string{"touched, mtime set back", "mtime 2020-01-02 03:04:05 → 2020-01-02 02:04:05"}, []string{"content the same"}},
	{"a file is written and its mtime and size put back", true,
		func(w *world) { w.write("f", "jello") },
		[]string{"mtime", "put back", "size 5 B"}, []string{"f: content changed, its mtime kept or put back", "sha256 2cf24dba5fb0 → "}},
	{"the mode changes", true,
		func(w *world) { w.must(os.Chmod(w.path("f"), 0o4755|os.ModeSetuid)) },
		[]string{"f: mode changed", "mode 0644 → 4755"}, []string{"content the same"}},
	{"only the attributes change, as by a hard link", true,
		func(w *world) { w.must(os.Link(w.path("f"), w.path("../f2"))) },
		[]string{"f: attributes, ACL or hard links changed"}, []string{"content the same"}},
	{"a file is replaced by rename", true,
		func(w *world) { w.write("../other", "jello"); w.must(os.Rename(w.path("../other"), w.path("f"))) },
		[]string{"f: replaced by another file", "size 5 B"}, []string{"content changed", "sha256 2cf24dba5fb0 → "}},
	{"a file is replaced by a copy of itself", true,
		func(w *world) { w.write("../other", "hello"); w.must(os.Rename(w.path("../other"), w.path("f"))) },
		[]string{"f: replaced by another file", "size 5 B"}, []string{"content the same"}},
	{"a file is deleted and a FIFO stands in its place", true,
		func(w *world) { w.must(os.Remove(w.path("f"))); makeFIFO(w.t, w.path("f")) },
		[]string{"f: became a FIFO"}, nil},
	{"a file becomes a symbolic link to another", true,
		func(w *world) {
			w.write("../other", "hello")
			w.must(os.Remove(w.path("f")))
			w.must(os.Symlink("../other", w.path("f")))
		},
		[]string{"f: replaced by another file", "link changed", "link ? → ../other"}, nil},
	{"the owner changes", true,
		func(w *world) {
			if os.Geteuid() != 0 {
				w.t.Skip("only root gives files away")
			}
			w.must(os.Chown(w.path("f"), 54321, 54322))
		},
		[]string{"f: owner changed", "owner root:root → 54321:54322"}, nil},
	{"a file becomes a directory", false,
		func(w *world) { w.must(os.Remove(w.path("f"))); w.must(os.Mkdir(w.path("f"), 0o755)) },
		[]string{"f: deleted"}, nil},
}

func TestChangesBetweenTwoRuns(t *testing.T) {
	t.Parallel()
	for _, row := range changes {
		for _, options := range []string{"", "\nchecksum = true"} {
			t.Run(row.name+options, func(t *testing.T) {
				t.Parallel()
				if row.unix {
					skipOnWindows(t)
				}
				w := watch(t, `filepaths = ["DIR/watched/*"]`+options)
				w.dir = w.path("watched")
				w.write("f", "hello")
				w.wantOk("1 watched, none changed within 3m")
				w.pass(time.Hour)
				w.tick()
				row.change(w)
				want := append([]string{"seen " + w.probe.now().Format(time.DateOnly)}, row.want...)
				if options != "" {
					want = append(want, row.checksum...)
				}
				wantAttrs(t, w.wantBad(want...), "changed=1 missing=0 unreadable=0")
				w.pass(2 * time.Minute)
				w.restart()
				w.wantBad(row.want...) // told as before, over a restart
				w.pass(time.Minute)
				wantAttrs(t, w.wantOk(), "changed=0")
			})
		}
	}
}

func TestTheEndTellsOfAllThatChanged(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`)
	w.write("a", "1")
	w.write("b", "1")
	w.wantOk()
	w.pass(time.Hour)
	w.write("a", "22")
	w.wantBad("/a: ")
	w.pass(2 * time.Minute)
	w.write("b", "333")
	w.wantBad("changed**: 2", "/a: ", "/b: ") // a is over by itself, the episode is not
	w.pass(2 * time.Minute)
	w.wantBad("changed**: 2")
	w.pass(2 * time.Minute)
	w.restart()
	w.wantOk("the last that did**: 2", "/a: ", "/b: ")
	w.wantOk("the last that did**: 2")
	w.write("b", "4444")
	w.wantBad("changed**: 1")
}

func TestSizeAndOwnerAreToldAlsoWhereTheyStay(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/f"]`)
	w.write("f", "hello")
	w.look()
	w.must(os.Chmod(w.path("f"), 0o600))
	me := names{}.owner(stateOf(t, w.path("f")))
	w.wantBad("made "+time.Now().Format("15:"), "size 5 B", "owner "+me, "mode 0644 → 0600", "look further", "`stat "+w.path("f")+"`")
}

func stateOf(t *testing.T, path string) *state {
	t.Helper()
	s, there, err := look(path)
	if !there || err != nil {
		t.Fatalf("%s is not there: %v", path, err)
	}
	return &s
}

func TestSeveralStepsAreOneChangeFromTheFirstState(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`)
	w.write("f", "hello")
	w.look()
	w.must(os.Remove(w.path("f")))
	w.wantBad("f: deleted")
	w.pass(2 * time.Minute)
	w.write("f", "hello again")
	w.restart()
	e := w.wantBad("(seen to change 2 times)", "size 5 B → 11 B")
	wantAttrs(t, e, "changed=1")
	w.pass(2 * time.Minute)
	w.wantBad("size 5 B → 11 B") // since the last step
	w.write("g", "1")
	w.look()
	w.must(os.Remove(w.path("g")))
	w.wantBad("g: came and went (seen to change 2 times)")
}

func TestTheNewestChangeStandsFirst(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`)
	for _, name := range []string{"a", "b", "c", "d"} {
		w.write(name, name)
	}
	w.look()
	for _, name := range []string{"c", "a", "d"} {
		w.must(os.Remove(w.path(name)))
		w.look()
		w.pass(time.Second)
	}
	w.write("b", "bb")
	text := w.look().Description
	at := -1
	for _, name := range []string{"b: content", "d: deleted", "a: deleted", "c: deleted"} {
		next := strings.Index(text, "/"+name)
		if runtime.GOOS != "windows" && next < at {
			t.Errorf("%q is not in its place:\n%s", name, text)
		}
		at = next
	}
	if again := w.look().Description; again != text {
		t.Errorf("the order is not stable:\n%s\n%s", text, again)
	}
}

func TestAClockThatIsPutBackDoesNotMakeAChangeLast(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`)
	w.write("f", "hello")
	w.pass(24 * time.Hour)
	w.look()
	w.write("f", "hello again")
	w.wantBad()
	w.pass(-24 * time.Hour)
	w.wantBad()
	w.pass(3 * time.Minute)
	w.wantOk()
}
