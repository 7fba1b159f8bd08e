package filechange

import (
	"os"
	"strings"
	"testing"
	"time"

	"catpaw/pipeline/pipetest"
)

func skipAsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() <= 0 {
		t.Skip("root, and Windows, may read everything")
	}
}

func TestADirectoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	skipAsRoot(t)
	w := watch(t, `filepaths = ["DIR/**", "DIR/closed/literal"]`)
	w.write("open/f", "hello")
	w.write("closed/f", "hello")
	w.write("closed/literal", "hello")
	w.wantOk("3 watched")
	shut := func(mode os.FileMode) { w.must(os.Chmod(w.path("closed"), mode)) }
	t.Cleanup(func() { shut(0o755) })

	shut(0)
	w.write("open/f", "hello again")
	e := w.wantBad("**unreadable**: 1", "closed: permission denied", "open/f: content changed", "Let catpaw's user ("+names{}.user(int64(os.Geteuid()))+") read it")
	wantAttrs(t, e, "changed=1 unreadable=1 missing=0 files=1")
	w.pass(time.Hour)
	w.restart()
	wantAttrs(t, w.wantBad("closed: permission denied"), "changed=0 unreadable=1 missing=0")

	shut(0o100) // what is known can still be looked at
	wantAttrs(t, w.wantBad("closed: permission denied"), "changed=0 unreadable=1 files=3")
	shut(0)
	w.look()
	shut(0o755)
	w.write("closed/f", "hello again")
	w.write("closed/old", "was there, perhaps") // nobody knows since when
	e = w.wantBad("closed/f: content changed")
	wantAttrs(t, e, "changed=1 unreadable=0 files=4")
	w.pass(time.Hour)
	w.wantOk()
}

func TestAFileThatNobodyCanLookAt(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/f", "DIR/d*"]`)
	w.write("f", "hello")
	w.write("dog", "hello")
	w.wantOk()
	w.must(os.Rename(w.path("f"), w.path("elsewhere")))
	w.must(os.Symlink("f", w.path("f"))) // a link to itself
	w.must(os.Symlink("do", w.path("do")))
	e := w.wantBad("**unreadable**: 2", "f: too many levels of symbolic links", "do: too many levels")
	wantAttrs(t, e, "files=1 changed=0 unreadable=2")
	w.must(os.Remove(w.path("f")))
	w.must(os.Remove(w.path("do")))
	w.write("do", "hello")
	w.must(os.Rename(w.path("elsewhere"), w.path("f")))
	wantAttrs(t, w.wantBad("f: "), "files=3 changed=1") // the two renames show in its ctime
	w.pass(time.Hour)
	w.wantOk()
}

func TestARunThatIsTooSlowFailsAndForgetsNothing(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`)
	w.write("f", "hello")
	w.wantOk()
	before := w.memory.Memo
	w.must(os.Remove(w.path("f")))
	w.probe.Timeout = 1
	_, err := w.memory.TryGather(t)
	pipetest.WantError(t, err, "took longer than timeout (1ns): raise timeout, or make the globs in filepaths narrower")
	if string(before) != string(w.memory.Memo) {
		t.Error("the memory has changed")
	}
	w.restart()
	w.wantBad("f: deleted")
}

func TestMemoryThatCannotBeReadIsBegunAnew(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"it is of version 9": func(b []byte) []byte { return append([]byte{9}, b[1:]...) },
		"it is damaged":      func(b []byte) []byte { return b[:len(b)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t, `filepaths = ["DIR/*"]`)
			w.write("f", "hello")
			w.wantOk()
			w.memory.Memo = spoil(append([]byte(nil), w.memory.Memo...))
			w.restart()
			w.write("f", "hello again")
			w.wantOk("memory**: what was remembered cannot be read, so it begins anew: " + name)
			if e := w.wantOk(); strings.Contains(e.Description, "memory") {
				t.Error("it is told again")
			}
			w.write("f", "hello")
			w.wantBad()
		})
	}
}

func TestNothingIsWrittenWhileNothingChanges(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "\nchecksum = true"} {
		w := watch(t, `filepaths = ["DIR/*", "DIR/missing"]`+options)
		w.write("f", "hello")
		w.pass(time.Hour)
		w.wantBad()
		first := w.memory.Memo
		for range 3 {
			w.pass(time.Hour)
			w.wantBad()
			if &first[0] != &w.memory.Memo[0] {
				t.Errorf("%s: it was remembered again", options)
			}
		}
		w.restart()
		w.wantBad()
		if &first[0] != &w.memory.Memo[0] {
			t.Errorf("%s: it was remembered again after a restart", options)
		}
	}
}
