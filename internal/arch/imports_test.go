package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "catpaw/"

// allowed lists, for each room, the rooms that it may import. Anyone may import internal; a plugin is
// a room of its own.
var allowed = map[string][]string{
	"cmd":        {"agent", "pipeline", "conf.d"},
	"agent":      {"inputs", "processors", "outputs", "pipeline", "store"},
	"inputs":     {"pipeline"},
	"processors": {"pipeline", "store"},
	"outputs":    {"pipeline"},
	"pipeline":   {"store"},
	"store":      {},
	"conf.d":     {},
	"internal":   {},
	"test":       {"agent", "outputs", "pipeline", "store"}, // a module of its own, for servers that only tests need
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	root := "../.."
	seen := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		seen++
		for _, imported := range importsOf(t, path) {
			if why := wrongArrow(name, imported); why != "" {
				t.Errorf("%s imports %s: %s", name, imported, why)
			}
		}
		return nil
	})
	if err != nil || seen < 10 {
		t.Fatalf("looked at %d files: %v", seen, err)
	}
}

// tooHeavy are packages of Go's own that cost the program dear, and what to take instead.
var tooHeavy = map[string]string{
	// It calls methods by name, so the linker must keep every method of every type: 3.3 MiB of 17.8, of which 2 are resident.
	"text/template": "github.com/DataDog/datadog-agent/pkg/template/text, which is the same without methods",
	"html/template": "github.com/DataDog/datadog-agent/pkg/template/html",
}

func TestNothingHeavyIsImported(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			if instead := tooHeavy[strings.Trim(spec.Path.Value, `"`)]; instead != "" {
				t.Errorf("%s imports %s; take %s", path, spec.Path.Value, instead)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func importsOf(t *testing.T, path string) (own []string) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		if name, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module); ok {
			own = append(own, name)
		}
	}
	return own
}

func wrongArrow(file, imported string) string {
	from, to := strings.Split(file, "/"), strings.Split(imported, "/")
	switch {
	case to[0] == "internal":
		return ""
	case from[0] == to[0]:
		return wrongNeighbour(from, to)
	case !slices.Contains(allowed[from[0]], to[0]):
		return "the arrow runs the wrong way"
	}
	return ""
}

// wrongNeighbour judges imports within one room: plugins do not know each other. The table that stands
// beside their folders knows them all.
func wrongNeighbour(from, to []string) string {
	plugins := from[0] == "inputs" || from[0] == "outputs" || from[0] == "processors"
	isTable := len(from) == 2
	samePlugin := len(to) > 1 && from[1] == to[1]
	if !plugins || isTable || samePlugin || len(to) > 1 && to[1] == "internal" {
		return ""
	}
	return "a plugin knows no other plugin"
}

func TestWrongArrowsAreFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][2]string{
		{"pipeline/x.go", "agent"}, {"pipeline/x.go", "inputs/http"}, {"store/x.go", "pipeline"},
		{"inputs/http/x.go", "inputs/net"}, {"inputs/http/x.go", "outputs/stdout"}, {"internal/match/x.go", "pipeline"},
		{"cmd/catpaw/x.go", "store"}, {"outputs/stdout/x.go", "store"}, {"inputs/http/x.go", "inputs"},
	} {
		if wrongArrow(wrong[0], wrong[1]) == "" {
			t.Errorf("%s may import %s", wrong[0], wrong[1])
		}
	}
}
