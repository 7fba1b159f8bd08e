package filechange

import (
	"context"
	"path/filepath"
	"slices"
)

// sight is one file as this run sees it.
type sight struct {
	path    string
	literal bool   // it must be there
	old     *state // remembered, nil = nothing
	now     state
	there   bool
	why     error  // why nobody knows whether and how it is there
	noSum   string // why its checksum cannot be taken, though it should be
}

// view is all that this run sees.
type view struct {
	*found
	sights   []sight // in order of paths
	over     int     // new files that are not watched: there is no room in max_files
	unhashed int     // files whose checksum waits for the next run
	files    int     // that are there and watched
	lost     error   // why what was remembered cannot be read
}

// view finds the files and takes the state of each, and of those that are remembered. It ends early when
// ctx does.
func (p *Probe) view(ctx context.Context, was *memory) *view {
	v := &view{found: p.find(ctx)}
	v.join(was)
	room, looked := p.MaxFiles, 0
	for i := range v.sights {
		if ctx.Err() != nil {
			break
		}
		s := &v.sights[i]
		s.look()
		looked++
		if s.literal || s.old != nil && (s.there || s.why != nil) {
			room--
		}
	}
	v.sights = slices.DeleteFunc(v.sights[:looked], func(s sight) bool {
		if !s.there || s.old != nil || s.literal {
			return false
		}
		if room--; room < 0 {
			v.over++
		}
		return room < 0
	})
	return v
}

// join makes a sight of every path that was found or is remembered.
func (v *view) join(was *memory) {
	v.sights = make([]sight, 0, max(len(v.paths), len(was.files)))
	old, paths := was.files, v.paths
	for len(old) > 0 || len(paths) > 0 {
		var s sight
		if len(old) == 0 || len(paths) > 0 && paths[0] <= old[0].path {
			s.path, paths = paths[0], paths[1:]
		} else {
			s.path = old[0].path
		}
		if len(old) > 0 && old[0].path == s.path {
			s.old, old = &old[0].state, old[1:]
		}
		s.literal = v.literal[s.path]
		v.sights = append(v.sights, s)
	}
}

// look takes the file's state. What globs find are files: a directory, or a link that leads to nothing,
// does not count as found.
func (s *sight) look() {
	s.now, s.there, s.why = look(s.path)
	if s.there && s.now.mode.IsDir() && !s.literal {
		s.there = false
	}
}

// isBlind reports whether nobody could say if there was such a file: its directory, or one above, could
// not be read.
func isBlind(path string, blind map[string]bool) bool {
	if len(blind) == 0 {
		return false
	}
	for {
		if blind[path] {
			return true
		}
		above := filepath.Dir(path)
		if above == path {
			return false
		}
		path = above
	}
}
