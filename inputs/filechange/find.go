package filechange

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// glob is one pattern of filepaths.
type glob struct {
	text    string // absolute
	base    string // the directory before the first part with a wildcard
	pattern string // the rest, with forward slashes
	exclude []string
}

// isGlob tells globs from plain paths, as filepath.Glob and doublestar do.
func isGlob(text string) bool { return strings.ContainsAny(text, "*?[{") }

func newGlob(text string) glob {
	base, pattern := doublestar.SplitPattern(filepath.ToSlash(text))
	return glob{text: text, base: filepath.FromSlash(base), pattern: pattern}
}

// maxListed is how many directory entries may be read for a glob with {a,b}: doublestar collects what
// such a glob matches before it hands out the first.
const maxListed = 200_000

// found is what the options mean on this host, now.
type found struct {
	paths   []string         // sorted, each once
	literal map[string]bool  // of these, those that must be there
	matches int              // files found by globs
	blind   map[string]error // directories that could not be read
	absent  []string         // base directories of globs that are none
	nothing []string         // globs that match nothing, though there is where to look
	cut     bool             // there is more than was found
}

// find expands the globs and adds what is named literally. It ends early when ctx does.
func (p *Probe) find(ctx context.Context) *found {
	f := &found{literal: make(map[string]bool, len(p.literal)), blind: map[string]error{}}
	for i := range p.globs {
		if before := len(f.paths); p.globs[i].walk(ctx, f, 2*p.MaxFiles) && len(f.paths) == before {
			f.nothing = append(f.nothing, p.globs[i].text)
		}
	}
	slices.Sort(f.paths)
	f.paths = slices.Compact(f.paths)
	f.matches = len(f.paths)
	for _, path := range p.literal {
		f.literal[path] = true
	}
	for i := range p.globs { // a path that really holds a [ or {
		if text := p.globs[i].text; exists(text) {
			f.literal[text] = true
		}
	}
	for path := range f.literal {
		f.paths = append(f.paths, path)
	}
	slices.Sort(f.paths)
	f.paths = slices.Compact(f.paths)
	return f
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

var errEnough = errors.New("enough")

// walk adds the files that the glob matches, at most so many, and reports whether it could look at all.
func (g *glob) walk(ctx context.Context, f *found, most int) bool {
	if info, err := os.Stat(g.base); isGone(err) || err == nil && !info.IsDir() {
		f.absent = append(f.absent, g.base)
		return false
	}
	options := []doublestar.GlobOption{doublestar.WithFilesOnly()}
	if strings.Contains(g.pattern, "**") { // a link to a directory above would lead round and round
		options = append(options, doublestar.WithNoFollow())
	}
	blind := len(f.blind)
	tree := &tree{ctx: ctx, glob: g, found: f, room: -1}
	if strings.Contains(g.pattern, "{") {
		tree.room = maxListed
	}
	err := doublestar.GlobWalk(tree, g.pattern, func(name string, entry fs.DirEntry) error {
		if entry.IsDir() || g.excludes(tree.real(name)) {
			return nil
		}
		if most--; most < 0 {
			return errEnough
		}
		f.paths = append(f.paths, tree.real(name))
		return nil
	}, options...)
	f.cut = f.cut || err != nil
	return len(f.blind) == blind
}

// excludes reports whether a path is excluded, by itself or by its name.
func (g *glob) excludes(real string) bool {
	for _, pattern := range g.exclude {
		text := filepath.ToSlash(real)
		if !strings.Contains(pattern, "/") {
			text = path.Base(text)
		}
		if doublestar.MatchUnvalidated(pattern, text) { // Init has judged it
			return true
		}
	}
	return false
}

// tree is the file system below a glob's base, as doublestar walks it. It keeps to itself what cannot be
// read, so that the rest is still walked, and notes it.
type tree struct {
	ctx   context.Context
	glob  *glob
	found *found
	room  int // directory entries that may still be read; negative = any number
}

// real is the path on this host of a name in the tree.
func (t *tree) real(name string) string {
	return filepath.Join(t.glob.base, filepath.FromSlash(name))
}

// Open is there for fs.FS; doublestar uses the methods below.
func (t *tree) Open(name string) (fs.File, error) { return os.Open(t.real(name)) }

// Stat is for fs.StatFS.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	info, err := os.Stat(t.real(name))
	t.note(name, err)
	return info, err
}

// ReadDir is for fs.ReadDirFS.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	if t.room == 0 {
		t.found.cut = true
		return nil, nil
	}
	entries, err := os.ReadDir(t.real(name))
	t.note(name, err)
	if t.room > 0 {
		t.room = max(0, t.room-len(entries))
	}
	if len(t.glob.exclude) == 0 {
		return entries, err
	}
	return slices.DeleteFunc(entries, func(entry fs.DirEntry) bool {
		return t.glob.excludes(t.real(path.Join(name, entry.Name())))
	}), err
}

func (t *tree) note(name string, err error) {
	if err != nil && !isGone(err) {
		t.found.blind[t.real(name)] = err
	}
}
