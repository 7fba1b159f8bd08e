package filechange

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhatGlobsFind(t *testing.T) {
	t.Parallel()
	files := []string{"a.conf", "b.conf", "c.txt", ".hidden.conf", "sub/d.conf", "sub/deep/e.conf", "sub/deep/e.swp", "skip/f.conf", "[x].conf", "nöt ascii.conf"}
	for _, row := range []struct{ name, options, want string }{
		{"* and hidden files too, but no directories", `filepaths = ["DIR/*"]`, ".hidden.conf [x].conf a.conf b.conf c.txt nöt ascii.conf"},
		{"? and classes", `filepaths = ["DIR/?.conf", "DIR/[c-d].txt"]`, "a.conf b.conf c.txt"},
		{"a class that excludes", `filepaths = ["DIR/[!a].conf"]`, "b.conf"},
		{"** is any depth", `filepaths = ["DIR/**/*.conf"]`, ".hidden.conf [x].conf a.conf b.conf nöt ascii.conf skip/f.conf sub/d.conf sub/deep/e.conf"},
		{"** at the end is everything below", `filepaths = ["DIR/sub/**"]`, "sub/d.conf sub/deep/e.conf sub/deep/e.swp"},
		{"braces", `filepaths = ["DIR/{a,b}.conf", "DIR/{sub,skip}/*"]`, "a.conf b.conf skip/f.conf sub/d.conf"},
		{"a wildcard in the middle", `filepaths = ["DIR/s*/*.conf"]`, "skip/f.conf sub/d.conf"},
		{"a file that really holds brackets", `filepaths = ["DIR/[x].conf"]`, "[x].conf"},
		{"one file by many spellings", `filepaths = ["DIR/a.conf", "DIR//a.conf", "DIR/sub/../a.conf", "DIR/./a.c*"]`, "a.conf"},
		{"without what is excluded by path", `filepaths = ["DIR/**"]` + "\n" + `exclude = ["DIR/sub", "DIR/skip/*", "DIR/*.conf"]`, "c.txt"},
		{"without what is excluded by name", `filepaths = ["DIR/s*/**"]` + "\n" + `exclude = ["*.swp", "skip"]`, "sub/d.conf sub/deep/e.conf"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := watch(t, row.options)
			for _, name := range files {
				w.write(name, name)
			}
			w.wantOk()
			var got []string
			for _, record := range w.probe.memory.files {
				got = append(got, strings.ReplaceAll(strings.TrimPrefix(record.path, w.dir)[1:], `\`, "/"))
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("found %q, want %q", got, row.want)
			}
		})
	}
}

func TestAGlobThatMatchesNothingIsOkAndSaysSo(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*.conf", "DIR/*.txt"]`)
	w.write("a.txt", "")
	wantAttrs(t, w.wantOk("globs that match nothing**: 1", "*.conf"), "matches=1 files=1")
	w.must(os.Remove(w.path("a.txt")))
	w.pass(time.Hour)
	wantAttrs(t, w.wantBad("a.txt: deleted"), "matches=0 files=0")
	w.pass(time.Hour)
	wantAttrs(t, w.wantOk("0 watched", "globs that match nothing**: 2"), "matches=0 files=0")
	w.write("a.conf", "")
	w.wantBad("a.conf: created")
}

func TestAMissingDirectoryOfAGlobIsBad(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/sub/*.conf", "DIR/sub/*.txt"]`)
	wantAttrs(t, w.wantBad("**missing**: 1", "sub: there is no such directory"), "missing=1 matches=0")
	w.write("sub/a.conf", "")
	w.wantBad("sub/a.conf: created")
	w.pass(time.Hour)
	w.wantOk()
	w.must(os.RemoveAll(w.path("sub")))
	w.wantBad("sub/a.conf: deleted", "sub: there is no such directory")
	w.pass(time.Hour)
	w.wantBad("sub: there is no such directory")
	w.must(os.WriteFile(w.path("sub"), nil, 0o644))
	w.wantBad("**missing**: 1")
}

func TestLinksThatLeadRoundAndRound(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/**", "DIR/*/f"]`)
	w.write("sub/f", "hello")
	w.must(os.Symlink("..", w.path("sub/up")))
	w.must(os.Symlink("sub", w.path("link")))
	w.must(os.Symlink("nowhere", w.path("dangling")))
	e := w.wantOk()
	wantAttrs(t, e, "files=2") // sub/f, and link/f by the second glob, which names no **
}

func TestManyDeletionsAreCutAndCounted(t *testing.T) {
	t.Parallel()
	const n = 2000
	w := watch(t, `filepaths = ["DIR/sub/**"]`)
	for i := range n {
		w.write(fmt.Sprintf("sub/%s-%04d", strings.Repeat("long", 40), i), "")
	}
	wantAttrs(t, w.wantOk(), "files=2000")
	w.must(os.RemoveAll(w.path("sub")))
	e := w.wantBad("**changed**: 2000", "-0000: deleted", "more", "**missing**: 1")
	wantAttrs(t, e, "files=0 changed=2000 missing=1")
	w.restart()
	wantAttrs(t, w.wantBad("**changed**: 2000"), "changed=2000")
	w.pass(time.Hour)
	w.look()
	if len(w.memory.Memo) > 100*mostListed {
		t.Errorf("%d bytes are remembered of what is over", len(w.memory.Memo))
	}
}

func TestMoreThanMaxFiles(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*", "DIR/{x,y}/*"]`+"\nmax_files = 10")
	for i := range 10 {
		w.write(fmt.Sprintf("f%02d", i), "")
	}
	w.write("x/a", "")
	w.must(os.Remove(w.path("x/a")))
	w.wantOk("10 watched")
	for i := range 30 {
		w.write(fmt.Sprintf("a%02d", i), "")
	}
	e := w.wantBad("the globs find more than max_files = 10 files; those beyond are not watched. Raise max_files")
	wantAttrs(t, e, "files=10 changed=0") // those that were known are, and none is taken for deleted
	w.must(os.Remove(w.path("f03")))
	w.wantBad("f03: deleted")
	w.pass(time.Hour)
	for i := range 30 {
		w.must(os.Remove(w.path(fmt.Sprintf("a%02d", i))))
	}
	w.pass(time.Hour)
	w.look()
	w.pass(time.Hour)
	wantAttrs(t, w.wantOk(), "files=9 changed=0")
	if !slices.IsSortedFunc(w.probe.memory.files, func(a, b record) int { return strings.Compare(a.path, b.path) }) {
		t.Error("the memory is not in order")
	}
}

func TestNamesFromOutside(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/*"]`)
	w.write("not utf-8 \xff\xfe", "")
	w.write("escape \x1b[31m and\nnewline", "")
	w.wantOk()
	w.restart()
	w.wantOk("2 watched")
	for _, name := range []string{"not utf-8 \xff\xfe", "escape \x1b[31m and\nnewline"} {
		w.must(os.Remove(w.path(name)))
	}
	e := w.wantBad("not utf-8 \uFFFD\uFFFD: deleted", "and newline: deleted")
	if strings.ContainsRune(e.Description, '\x1b') {
		t.Error("the description holds a control character")
	}
}

func TestAFileThatTakesTheRoomOfADeletedOneIsSeen(t *testing.T) {
	t.Parallel()
	w := watch(t, "filepaths = [\"DIR/*\"]\nmax_files = 3")
	for _, name := range []string{"a", "b", "c"} {
		w.write(name, "x")
	}
	w.wantOk()
	w.pass(time.Hour)
	w.must(os.Remove(w.path("b")))
	w.write("d", "x") // with an old mtime, as cp -p leaves it
	w.wantBad("/b: deleted", "/d: ")
}
