package filechange

import "slices"

// memory is what lasts from run to run and over restarts. It does not change once it is made.
type memory struct {
	empty   bool     // nothing is remembered: this is the first run
	partial bool     // not all that the options mean was looked at
	files   []record // sorted by path
	changes []change // of this episode, newest first: it lasts while any of them is bad
	past    []change // of the last episode, for whoever is told of its end: the newest mostListed of ended
	ended   int      // changes of that episode
	blind   []string // sorted: files and directories that could not be looked at

	byPath map[string]int // index into changes, while they are collected
}

// record is a file as it was last seen.
type record struct {
	path string
	state
}

// add adds a change, joining it with an earlier one of the same file.
func (m *memory) add(c change) {
	if m.byPath == nil {
		m.byPath = make(map[string]int, len(m.changes))
		for i := range m.changes {
			m.byPath[m.changes[i].path] = i
		}
	}
	if i, ok := m.byPath[c.path]; ok {
		c.follow(&m.changes[i])
		m.changes[i] = c
		return
	}
	m.byPath[c.path] = len(m.changes)
	m.changes = append(m.changes, c)
}

// minChanges is how many changes are remembered at least, where max_files is small.
const minChanges = 1000

// maxBlind is how many files and directories that cannot be looked at are remembered one by one.
const maxBlind = 1000

// bound puts the lists in order and cuts them: so many changes, the newest ones.
func (m *memory) bound(changes int) {
	m.byPath = nil
	slices.SortFunc(m.changes, byNews)
	if len(m.changes) > changes {
		m.changes = slices.Clip(m.changes[:changes])
	}
	slices.Sort(m.blind)
	m.blind = slices.Compact(m.blind)
	if len(m.blind) > maxBlind { // then all that was not known before counts as seen for the first time
		m.blind, m.partial = m.blind[:maxBlind], true
	}
}

// keep remembers the files that are there, and those that nobody could look at.
func (m *memory) keep(sights []sight) {
	m.files = make([]record, 0, len(sights))
	for i := range sights {
		switch s := &sights[i]; {
		case s.why != nil && s.old != nil:
			m.files = append(m.files, record{s.path, *s.old})
		case s.there:
			m.files = append(m.files, record{s.path, s.now})
		}
	}
}
