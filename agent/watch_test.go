package agent

import (
	"os"
	"path/filepath"
	"testing"
)

func TestChangesAreSeenOnceTheyHaveSettled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "conf[1].d") // a path that would be a pattern
	file := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file("config.toml", "a")
	file("p.exec/a.toml", "a")
	w := watch{dir: dir}
	w.read()
	for i, step := range []struct {
		do   func()
		want bool
	}{
		{func() {}, false},
		{func() { file("p.exec/a.toml", "ab") }, false},
		{func() { file("p.exec/b.toml", "x") }, false}, // still at it
		{func() {}, true},
		{w.read, false},
		{func() { file("p.exec/readme.txt", "x"); file("p.exec/.#a.toml", "x"); file("other/c.toml", "x") }, false},
		{func() {}, false},
		{func() { os.Remove(filepath.Join(dir, "p.exec/b.toml")) }, false},
		{func() {}, true},
		{w.read, false},
		{func() { file("p.exec/a.toml", "abc") }, false},
		{func() {}, true},
		{w.read, false},
		{func() { os.RemoveAll(dir) }, false},
		{func() {}, true},
	} {
		step.do()
		if got := w.changed(); got != step.want {
			t.Errorf("look %d: %v", i+1, got)
		}
	}
}
