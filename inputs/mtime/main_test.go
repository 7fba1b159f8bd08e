package mtime

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when all is looked at in these tests.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// readers are the ways to read a directory; all must see the same.
var readers = map[string]func(path string) (folder, error){"system": openFolder, "portable": openPortable}

// withEachReader runs a test once for each of them.
func withEachReader(t *testing.T, test func(t *testing.T, open func(string) (folder, error))) {
	t.Helper()
	for name, open := range readers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

// plant makes files, so old at noon, in a new directory.
func plant(t testing.TB, files map[string]time.Duration) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, age := range files {
		write(t, filepath.Join(root, filepath.FromSlash(name)), age)
	}
	return root
}

func write(t testing.TB, path string, age time.Duration) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	date(t, path, age)
}

func date(t testing.TB, path string, age time.Duration) {
	t.Helper()
	if err := os.Chtimes(path, noon, noon.Add(-age)); err != nil {
		t.Fatal(err)
	}
}

// probe makes a probe of TOML that looks at noon.
func probe(t testing.TB, open func(string) (folder, error), root, options string) *Probe {
	t.Helper()
	p := New()
	p.now = func() time.Time { return noon }
	p.open = open
	p.goos = "linux"
	pipetest.Options(t, fmt.Sprintf("directory = %q\ncheck = \"files\"\n%s", root, options), p)
	return p
}

// look runs a probe on one directory and returns its event.
func look(t *testing.T, p *Probe) *pipeline.Event {
	t.Helper()
	events := pipetest.Gather(t, p)
	if len(events) != 1 {
		t.Fatalf("%d events, want 1", len(events))
	}
	return events[0]
}

func want(t *testing.T, e *pipeline.Event, status pipeline.Status, pieces ...string) {
	t.Helper()
	if e.Status != status {
		t.Errorf("status %v, want %v: %s", e.Status, status, e.Description)
	}
	for _, piece := range pieces {
		if !strings.Contains(e.Description, piece) {
			t.Errorf("description does not say %q: %s", piece, e.Description)
		}
	}
}

func wantAttrs(t *testing.T, e *pipeline.Event, want map[string]any) {
	t.Helper()
	got := map[string]any{}
	for _, a := range e.Attrs {
		got[a.Key] = a.Value
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("attr %s is %v, want %v; all: %v", key, got[key], value, e.Attrs)
		}
	}
}

// trap stands between a walk and the directories. Its hooks get the path below the root; what they
// return, where it is an error, is what the walk is told.
type trap struct {
	open           func(path string) (folder, error)
	onOpen, onStat func(path string) error
	blurred        bool // hide what entries are, as some file systems do

	opened, closed atomic.Int64
}

func (tr *trap) begin(path string) (folder, error) {
	return tr.enter("", func() (folder, error) { return tr.open(path) })
}

func (tr *trap) enter(path string, open func() (folder, error)) (folder, error) {
	if tr.onOpen != nil {
		if err := tr.onOpen(path); err != nil {
			return nil, err
		}
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	tr.opened.Add(1)
	return &trapped{f, tr, path}, nil
}

type trapped struct {
	folder
	trap *trap
	path string
}

func (f *trapped) open(name string) (folder, error) {
	return f.trap.enter(strings.TrimPrefix(f.path+"/"+name, "/"), func() (folder, error) { return f.folder.open(name) })
}

func (f *trapped) read(b *batch) (bool, error) {
	more, err := f.folder.read(b)
	for i := range b.entries {
		if f.trap.blurred {
			b.entries[i].kind = unknown
		}
	}
	return more, err
}

func (f *trapped) stat(name []byte) (int64, kind, error) {
	if f.trap.onStat != nil {
		if err := f.trap.onStat(strings.TrimPrefix(f.path+"/"+string(name), "/")); err != nil {
			return 0, other, err
		}
	}
	return f.folder.stat(name)
}

func (f *trapped) close() {
	f.trap.closed.Add(1)
	f.folder.close()
}

// wantAllClosed fails where a walk left a directory open.
func (tr *trap) wantAllClosed(t *testing.T) {
	t.Helper()
	if opened, closed := tr.opened.Load(), tr.closed.Load(); opened != closed {
		t.Errorf("%d directories opened, %d closed", opened, closed)
	}
}

// run is one Gather under ctx.
func run(ctx context.Context, p *Probe) ([]*pipeline.Event, pipeline.RunEnd, error) {
	return pipeline.Look(ctx, pipetest.Check(p))
}
