package mtime

import "bytes"

// worker is one goroutine of a walk.
type worker struct {
	*walk
	seen    tally
	batch   batch
	tasks   []task // of the batch, not yet on the stack
	scratch []byte // for paths
}

// work does tasks until none are left.
func (w *worker) work() {
	defer w.add(&w.seen)
	for t, ok := w.next(); ok; t, ok = w.next() {
		if t.name == "" {
			w.read(t.in)
		} else {
			w.enter(t.in, t.name)
		}
		w.finished()
	}
}

// begin opens the directory that is watched. It must be searchable, too: otherwise its names could be
// read, but nothing be known of them.
func (w *worker) begin(path string) {
	opened, err := w.open(path)
	if err == nil {
		if _, _, err = opened.stat([]byte(".")); err == nil {
			root := &node{folder: opened, depth: 1}
			root.users.Add(1)
			w.read(root)
			return
		}
		opened.close()
	}
	w.refuse(nil, nil, err)
}

// enter opens a directory and reads it.
func (w *worker) enter(parent *node, name string) {
	opened, err := parent.folder.open(name)
	if err != nil {
		w.refuse(parent, []byte(name), err)
		parent.release()
		return
	}
	parent.release()
	n := &node{folder: opened, parent: parent, name: name, depth: parent.depth + 1}
	n.users.Add(1)
	w.read(n)
}

// read goes through a directory, or a batch of it where it is large: then the rest is for whoever
// comes first.
func (w *worker) read(n *node) {
	defer n.release()
	for !w.stopped.Load() {
		more, err := n.folder.read(&w.batch)
		if err != nil {
			w.refuse(n, nil, err)
			return
		}
		if more {
			w.tasks = append(w.tasks, task{in: n}) // first, so that the others are done before it
		}
		for _, e := range w.batch.entries {
			if e.kind == subdir && !w.excluded(n, e.name) {
				w.later(n, e.name)
			}
		}
		w.share(n)
		w.askEach(n)
		w.share(n)
		if more || len(w.batch.entries) == 0 {
			return
		}
	}
}

// askEach asks the files of a batch for their times.
func (w *worker) askEach(n *node) {
	for _, e := range w.batch.entries {
		switch {
		case w.stopped.Load():
			return
		case e.kind == regular, e.kind == unknown:
			if !w.excluded(n, e.name) {
				w.ask(n, e.name)
			}
		}
	}
}

func (w *worker) ask(n *node, name []byte) {
	modified, kind, err := n.folder.stat(name)
	switch {
	case err != nil:
		w.refuse(n, name, err)
	case kind == regular:
		w.seen.file(&w.rules, modified, func() []byte { return w.path(n, name) })
	case kind == subdir:
		w.later(n, name)
	}
}

// later notes a directory as a task, where it is not too deep.
func (w *worker) later(n *node, name []byte) {
	if w.maxDepth == 0 || n.depth < w.maxDepth {
		w.tasks = append(w.tasks, task{n, string(name)})
	}
}

// share puts the tasks that were noted onto the stack.
func (w *worker) share(n *node) {
	if len(w.tasks) > 0 {
		n.users.Add(int32(len(w.tasks)))
		w.push(w.tasks...)
		w.tasks = w.tasks[:0]
	}
}

// refuse notes that something could not be read: an entry of n, n itself where name is nil, or the
// directory that is watched.
func (w *worker) refuse(n *node, name []byte, err error) {
	top := n == nil || n.parent == nil && name == nil
	switch {
	case isShortage(err):
		w.fail(err)
	case top:
		w.mu.Lock()
		w.root = err
		w.mu.Unlock()
	case !isGone(err):
		w.seen.refuse(err, func() []byte { return w.path(n, name) })
	}
}

func (w *worker) excluded(n *node, name []byte) bool {
	if w.exclude.Len() == 0 {
		return false
	}
	path := string(w.path(n, name))
	return w.exclude.Match(path) || len(path) > len(name) && w.exclude.Match(path[len(path)-len(name):])
}

// path is that of an entry of n, or of n itself where name is nil, below the directory that is
// watched, with slashes. It is good until the next call.
func (w *worker) path(n *node, name []byte) []byte {
	w.scratch = append(n.appendPath(w.scratch[:0]), name...)
	if name == nil {
		w.scratch = bytes.TrimSuffix(w.scratch, []byte("/"))
	}
	return w.scratch
}

// appendPath appends "a/b/" for the directory b in a.
func (n *node) appendPath(to []byte) []byte {
	if n.parent == nil {
		return to
	}
	return append(append(n.parent.appendPath(to), n.name...), '/')
}
