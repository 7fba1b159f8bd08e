package filechange

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a directory of files and a probe that watches them, with a clock that goes on by hand. It runs
// ahead of the real one, which stamps the files, never behind.
type world struct {
	t       testing.TB
	dir     string
	options string
	probe   *Probe
	memory  *pipetest.Memory
	passed  time.Duration
}

// watch makes a world. DIR in the options stands for its directory.
func watch(t testing.TB, options string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.options = "check = \"files changed\"\n" + strings.ReplaceAll(options, "DIR", filepath.ToSlash(w.dir))
	w.probe = w.construct()
	w.memory = pipetest.NewMemory(w.probe)
	return w
}

func (w *world) construct() *Probe {
	w.t.Helper()
	p := New()
	p.now = func() time.Time { return time.Now().Add(w.passed) }
	pipetest.Options(w.t, w.options, p)
	return p
}

// restart is a new start of the agent: only the memory is left.
func (w *world) restart() {
	w.probe = w.construct()
	w.memory.Restart(w.probe)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// write writes a file with an mtime of long ago, and its directories.
func (w *world) write(name, content string) {
	w.t.Helper()
	w.must(os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
	w.must(os.WriteFile(w.path(name), []byte(content), 0o644))
	w.touch(name, longAgo)
}

var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.Local)

func (w *world) touch(name string, mtime time.Time) {
	w.t.Helper()
	w.must(os.Chtimes(w.path(name), time.Time{}, mtime))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// look runs the probe and returns its one result.
func (w *world) look() *pipeline.Event {
	w.t.Helper()
	events := w.memory.Gather(w.t)
	if len(events) != 1 {
		w.t.Fatalf("%d events, want 1", len(events))
	}
	if len(events[0].Description) > pipeline.MaxDescription-10 {
		w.t.Errorf("the description has %d bytes, and was cut perhaps", len(events[0].Description))
	}
	return events[0]
}

// wantOk and wantBad look and judge: the status, and what the description says.
func (w *world) wantOk(pieces ...string) *pipeline.Event {
	w.t.Helper()
	return w.want(pipeline.Ok, pieces)
}

func (w *world) wantBad(pieces ...string) *pipeline.Event {
	w.t.Helper()
	return w.want(pipeline.Warning, pieces)
}

func (w *world) want(status pipeline.Status, pieces []string) *pipeline.Event {
	w.t.Helper()
	e := w.look()
	if e.Status != status {
		w.t.Errorf("status %v, want %v: %s", e.Status, status, e.Description)
	}
	for _, piece := range pieces {
		if !strings.Contains(e.Description, piece) {
			w.t.Errorf("description does not say %q:\n%s", piece, e.Description)
		}
	}
	return e
}

// wantAttrs judges measured values, written as "files=1 changed=0".
func wantAttrs(t testing.TB, e *pipeline.Event, want string) {
	t.Helper()
	for _, one := range strings.Fields(want) {
		found := false
		for _, attr := range e.Attrs {
			found = found || fmt.Sprintf("%s=%v", attr.Key, attr.Value) == one
		}
		if !found {
			t.Errorf("attrs %v lack %s", e.Attrs, one)
		}
	}
}

// pass lets time go by for the probe.
func (w *world) pass(d time.Duration) { w.passed += d }

// tick returns when the file system's clock has gone on, so that a change from now on has another ctime.
func (w *world) tick() {
	w.t.Helper()
	stamp := func() int64 {
		name := filepath.Join(w.t.TempDir(), "clock")
		w.must(os.WriteFile(name, nil, 0o644))
		s, _, err := look(name)
		w.must(err)
		return s.ctime + s.mtime
	}
	for begun := stamp(); stamp() == begun; {
	}
}
