package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"catpaw/internal/config"
)

// source is a configuration directory as it was read.
type source struct {
	dir    string
	mains  []*config.Node // the files beside the p.* directories, the one that overrides the others last
	probes []*config.Node // the files in them
}

// readSource reads the files of a directory. The error is a fault of the files themselves.
func readSource(dir string) (*source, error) {
	if dir == "" {
		return nil, errors.New("the name of the directory to read is empty: say which configuration to translate")
	}
	mains, probes := find(dir, "*.toml"), find(dir, "p.*/*.toml")
	if len(mains)+len(probes) == 0 {
		return nil, fmt.Errorf("%s: there is no configuration: no *.toml, no p.*/*.toml", dir)
	}
	slices.SortStableFunc(mains, func(a, b string) int { return rank(a) - rank(b) })
	s := &source{dir: dir}
	for _, name := range append(mains, probes...) {
		node, err := config.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(mains, name) {
			s.mains = append(s.mains, node)
		} else {
			s.probes = append(s.probes, node)
		}
	}
	return s, nil
}

// find lists what fits a pattern below a directory.
func find(dir, pattern string) (paths []string) {
	names, _ := fs.Glob(os.DirFS(dir), pattern) // the patterns are ours; a directory that cannot be read has no files
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, filepath.FromSlash(name)))
	}
	return paths
}

// rank: the original reads config.toml first, and lays config.local.toml over all the others.
func rank(name string) int {
	return map[string]int{"config.toml": -1, "config.local.toml": 1}[filepath.Base(name)]
}

// Files that the original reads, too, and this catpaw does not.
var unread = []string{"*.yaml", "*.yml", "*.json"}

// others tells of the files that are left out as they are.
func (t *translator) others(dir string) {
	for _, below := range []string{"", "p.*"} {
		for _, pattern := range unread {
			for _, name := range find(dir, path.Join(below, pattern)) {
				t.note(&config.Node{File: name}, "the file is left out: write as TOML what it says, and migrate again")
			}
		}
	}
}

// isOurs: outputs and processors are this catpaw's, which reads its files one behind the other.
func (s *source) isOurs() bool { return s.has("outputs", "processors") }

// isLater: [flashduty] is of 0.8; what is judged and how bad it is has other defaults there.
func (s *source) isLater() bool { return !s.isOurs() && !s.has("flashduty") }

func (s *source) has(sections ...string) bool {
	return slices.ContainsFunc(s.mains, func(n *config.Node) bool {
		return slices.ContainsFunc(sections, func(section string) bool { return n.Get(section) != nil })
	})
}

// oneMain lays the main files one over the other, as the original does. Here a setting in two files is a fault.
func (s *source) oneMain() *config.Node {
	var merged *config.Node
	for _, n := range s.mains {
		merged = n.Over(merged)
	}
	return merged
}
