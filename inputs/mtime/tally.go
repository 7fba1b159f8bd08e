package mtime

import (
	"cmp"
	"math"
	"slices"
)

const (
	shownFiles   = 20 // that changed
	shownRefused = 5
	shownFuture  = 3
)

// rules are what a walk counts, and by which clock.
type rules struct {
	started int64 // nanoseconds since 1970, as all times here
	since   int64 // files changed after this are fresh
	stale   bool  // what is looked for is the one newest file, not all the fresh ones
	now     func() int64
}

// found is a file by its path below the directory.
type found struct {
	modified int64
	path     string
	err      error
}

// tally is what was seen. Each worker has its own; they are added up in the end. However large the
// tree, it stays small.
type tally struct {
	files      int
	changed    int // younger than the time span
	future     int // changed later than now: nobody knows when
	unreadable int // directories that could not be read, files that could not be asked
	newest     int64

	fresh   list // what is to be shown of the files, newest first
	ahead   list // some of the files of the future, by path
	refused list // some of what could not be read, by path
}

func newTally(stale bool) tally {
	keep := shownFiles
	if stale {
		keep = 1
	}
	return tally{
		newest:  math.MinInt64,
		fresh:   list{keep: keep, order: newestFirst},
		ahead:   list{keep: shownFuture, order: byPath},
		refused: list{keep: shownRefused, order: byPath},
	}
}

// skew is how far the clock of a file server may run before ours.
const skew = int64(2e9)

// file counts a file. path is asked for only where the file is to be shown.
func (t *tally) file(r *rules, modified int64, path func() []byte) {
	t.files++
	if modified > r.started && modified > r.now()+skew { // it may have changed since the walk began
		t.future++
		t.ahead.add(modified, nil, path)
		return
	}
	t.newest = max(t.newest, modified)
	if modified > r.since {
		t.changed++
	}
	if modified > r.since || r.stale {
		t.fresh.add(modified, nil, path)
	}
}

func (t *tally) refuse(err error, path func() []byte) {
	t.unreadable++
	t.refused.add(0, err, path)
}

func (t *tally) merge(o *tally) {
	t.files += o.files
	t.changed += o.changed
	t.future += o.future
	t.unreadable += o.unreadable
	t.newest = max(t.newest, o.newest)
	t.fresh.merge(&o.fresh)
	t.ahead.merge(&o.ahead)
	t.refused.merge(&o.refused)
}

// list keeps the first few of many, in order: whatever the order in which they come, the same ones
// stay.
type list struct {
	keep  int
	order func(a, b found) int
	items []found
}

func newestFirst(a, b found) int {
	return cmp.Or(cmp.Compare(b.modified, a.modified), cmp.Compare(a.path, b.path))
}

func byPath(a, b found) int { return cmp.Compare(a.path, b.path) }

// add keeps a file where it is among the first.
func (l *list) add(modified int64, err error, path func() []byte) {
	full := len(l.items) == l.keep
	if full && l.order(found{modified: modified}, l.items[l.keep-1]) > 0 {
		return // even with the first of all paths: this one need not be known
	}
	l.insert(found{modified, string(path()), err})
}

func (l *list) insert(f found) {
	at, _ := slices.BinarySearchFunc(l.items, f, l.order)
	if at == l.keep {
		return
	}
	if len(l.items) == l.keep {
		l.items = l.items[:l.keep-1]
	}
	l.items = slices.Insert(l.items, at, f)
}

func (l *list) merge(o *list) {
	for _, f := range o.items {
		l.insert(f)
	}
}
