package migrate

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"catpaw/agent"
	"catpaw/internal/config"
)

// only is a file system that holds these; those with a slash at the end are directories.
func only(paths ...string) func(string) (fs.FileInfo, error) {
	return func(path string) (fs.FileInfo, error) {
		switch {
		case slices.Contains(paths, path+"/"):
			return thing{dir: true}, nil
		case slices.Contains(paths, path):
			return thing{}, nil
		}
		return nil, &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
	}
}

type thing struct {
	fs.FileInfo
	dir bool
}

func (t thing) IsDir() bool { return t.dir }

// migration is one conf.d of the original, and what must become of it.
type migration struct {
	old   map[string]string // files by path
	stat  func(string) (fs.FileInfo, error)
	want  map[string]string // what a file of the new one must be, without its first line; "" = not there
	holds map[string]string // what it must hold
	notes []string          // what must be told, each by one note; no others
}

// try migrates, and loads what comes of it: whatever is translated must be good.
func (m migration) try(t *testing.T) {
	t.Helper()
	old, made := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "new")
	for name, text := range m.old {
		path := filepath.Join(old, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if m.stat == nil {
		m.stat = only()
	}
	result, err := read(old, m.stat)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range m.want {
		if _, got, _ := strings.Cut(string(result.Files[name]), "\n"); strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
	for name, part := range m.holds {
		if !strings.Contains(string(result.Files[name]), part) {
			t.Errorf("%s does not hold %s:\n%s", name, part, result.Files[name])
		}
	}
	m.hear(t, result.Notes)
	if err := result.Write(made); err != nil {
		t.Fatal(err)
	}
	vars := config.Vars{Named: map[string]string{"hostname": "h", "ip": "1"}, Lookup: os.LookupEnv}
	if _, err := (agent.Source{Dir: made, Vars: vars}).Load(); err != nil {
		t.Errorf("it does not load: %v", err)
	}
}

func (m migration) hear(t *testing.T, notes []string) {
	t.Helper()
	for _, want := range m.notes {
		if !slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, want) }) {
			t.Errorf("no note tells %q", want)
		}
	}
	if len(notes) != len(m.notes) {
		t.Errorf("%d notes instead of %d:\n%s", len(notes), len(m.notes), strings.Join(notes, "\n"))
	}
}

func tryAll(t *testing.T, all map[string]migration) {
	t.Helper()
	for name, m := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.try(t)
		})
	}
}
