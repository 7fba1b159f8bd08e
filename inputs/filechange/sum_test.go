package filechange

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"
)

// opened makes the probe count which files it opens for their checksums.
func (w *world) opened() *[]string {
	names := new([]string)
	open := w.probe.open
	w.probe.open = func(path string) (*os.File, error) {
		*names = append(*names, strings.TrimPrefix(path, w.dir)[1:])
		return open(path)
	}
	return names
}

func wantOpened(t *testing.T, names *[]string, want string) {
	t.Helper()
	if got := strings.Join(*names, " "); got != want {
		t.Errorf("opened %q, want %q", got, want)
	}
	*names = nil
}

func TestWithoutChecksumNoFileIsOpened(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`)
	w.write("f", "hello")
	names := w.opened()
	w.wantOk()
	wantOpened(t, names, "")
}

func TestAFileIsReadAgainOnlyWhereItMayHaveChanged(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/*"]`+"\nchecksum = true")
	w.write("f", "hello")
	names := w.opened()
	w.wantOk()
	wantOpened(t, names, "f")
	w.pass(30 * time.Second)
	w.wantOk() // its ctime is so young that a write may have left no trace
	wantOpened(t, names, "f")
	w.pass(settling)
	w.wantOk()
	wantOpened(t, names, "f")
	w.wantOk()
	w.wantOk()
	wantOpened(t, names, "")
	w.must(os.Chmod(w.path("f"), 0o600))
	w.wantBad("mode changed, content the same")
	wantOpened(t, names, "f")
}

func TestAWriteThatLeavesNoTraceInTheTimesIsSeenWhileTheyAreYoung(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/*"]`+"\nchecksum = true")
	w.write("f", "hello")
	w.wantOk()
	remembered, err := decode(w.memory.Memo)
	w.must(err)
	remembered.files[0].sum = strings.Repeat("x", 32) // as if it had held something else, with equal times
	w.memory.Memo = remembered.encode()
	w.restart()
	w.wantBad("f: content changed, its mtime kept or put back", "sha256 787878787878 → 2cf24dba5fb0")
}

func TestOneRunReadsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/*"]`+"\nchecksum = true\nmax_checksum_bytes = 10")
	for name, content := range map[string]string{"a": "1234567890", "b": "12345", "c": "123", "d": "12"} {
		w.write(name, content)
	}
	w.pass(time.Hour)
	names := w.opened()
	wantAttrs(t, w.wantOk("checksums**: 1 still to be taken"), "unhashed=1 unreadable=0")
	wantOpened(t, names, "d c b") // the small ones first
	wantAttrs(t, w.wantOk(), "unhashed=0")
	wantOpened(t, names, "a")
	w.wantOk()
	wantOpened(t, names, "")
	w.write("e", "12345678901")
	w.pass(time.Hour)
	e := w.wantBad("e: created", "**unreadable**: 1", "e: has 11 B, more than max_checksum_bytes")
	wantAttrs(t, e, "unreadable=1")
	wantOpened(t, names, "")
	w.pass(time.Hour)
	w.wantBad("e: has 11 B")
	w.write("e", "1")
	w.pass(time.Hour)
	w.look()
	w.pass(time.Hour)
	w.wantOk()
}

func TestAFIFOIsNeverOpened(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*", "DIR/pipe", "/dev/null"]`+"\nchecksum = true")
	makeFIFO(t, w.path("pipe"))
	w.touch("pipe", longAgo)
	names := w.opened()
	w.look()
	wantOpened(t, names, "")

	// Nor does it hang where one takes a file's place between the look and the opening.
	w.write("f", "hello")
	s := sight{path: w.path("f")}
	s.look()
	w.must(os.Remove(w.path("f")))
	makeFIFO(t, w.path("f"))
	reader := summer{open: openFile, room: 100, buffer: make([]byte, 10)}
	if _, err := reader.read(t.Context(), &s); err != errBusy {
		t.Errorf("read: %v", err)
	}
}

func TestAFileThatChangesWhileItIsReadWaits(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/f"]`+"\nchecksum = true")
	w.write("f", "hello")
	w.tick()
	open, grow := w.probe.open, true
	w.probe.open = func(path string) (*os.File, error) {
		file, err := open(path)
		if grow {
			w.must(os.WriteFile(path, []byte("hello, and more"), 0o644))
		}
		return file, err
	}
	wantAttrs(t, w.wantOk(), "unhashed=1")
	grow = false
	wantAttrs(t, w.wantBad("size 5 B → 15 B"), "unhashed=0")
	if record := w.probe.memory.files[0]; record.sum == "" {
		t.Error("it was not read in the second run")
	}
}

func TestAFileThatCannotBeReadForItsChecksum(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/f", "DIR/g"]`+"\nchecksum = true")
	w.write("f", "hello")
	w.write("g", "hello")
	open := w.probe.open
	w.probe.open = func(path string) (*os.File, error) {
		if path == w.path("f") {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return open(path)
	}
	wantAttrs(t, w.wantBad("f: cannot be read for its checksum: permission denied", "**remedy**: "), "unreadable=1 files=2")
	w.write("g", "hello again")
	w.wantBad("g: content changed", "f: cannot be read")
	w.write("f", "hello again") // what can be seen of it without reading is
	w.wantBad("f: content changed", "size 5 B → 11 B")
	w.probe.open = open
	w.pass(time.Hour)
	wantAttrs(t, w.wantOk(), "unreadable=0")
}

func TestAFileThatCannotBeReadInTime(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/*"]`+"\nchecksum = true")
	w.write("f", "hello")
	w.write("g", "hello, too")
	w.write("h", "hello, all")
	read := func(inTime int) *view { // the time is up when so many files have been read
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		open := w.probe.open
		defer func() { w.probe.open = open }()
		w.probe.open = func(path string) (*os.File, error) {
			if inTime--; inTime < 0 {
				cancel()
			}
			return open(path)
		}
		v := w.probe.view(ctx, &memory{empty: true})
		w.probe.sum(ctx, v, time.Now())
		return v
	}
	v := read(1)
	if unreadable := v.unreadable(); v.unhashed != 2 || len(unreadable) != 0 {
		t.Errorf("with time for one: %d wait, unreadable %q", v.unhashed, unreadable)
	}
	v = read(0) // not even with all the time of a run
	if got := strings.Join(v.unreadable(), " "); v.unhashed != 2 || !strings.HasSuffix(got, "f: has 5 B, which cannot be read within timeout (10s)") {
		t.Errorf("with time for none: %d wait, unreadable %s", v.unhashed, got)
	}
}
