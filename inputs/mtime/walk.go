package mtime

import (
	"runtime/debug"
	"sync"
	"sync/atomic"

	"catpaw/internal/match"
	"catpaw/pipeline"
)

// walk goes through one tree. Its workers share a stack of tasks:
//
//	stack ─► worker: open the directory, read a batch of names, ask each file for its time
//	  ▲                         │                    │
//	  └─────────────────────────┴────────────────────┘
//	    the rest of a large     the directories in it
//	    directory
//
// What is left to read of a directory and the directories in it go onto the stack before its files are
// asked, so that one huge directory keeps all workers busy, too. The rest of a directory lies below the
// directories that came from it, so that the stack grows with the depth of the tree, not with its
// width: one batch of names for each level.
type walk struct {
	rules
	maxDepth int        // 0 = no limit
	exclude  *match.Set // by path below the directory, and by name
	open     func(path string) (folder, error)

	stopped atomic.Bool   // by whoever waits, or after a fault
	done    chan struct{} // closed when all workers have come home; the rest is theirs until then

	mu    sync.Mutex
	wake  sync.Cond
	todo  []task
	busy  int // workers with a task in hand
	sum   tally
	root  error // why the directory itself could not be read
	fault error // why the walk was given up
	broke any   // what a worker panicked with
}

// task is a directory to open, by its name in another one, or one to read on in.
type task struct {
	in   *node
	name string // "" = read on
}

// node is a directory on the way.
type node struct {
	folder folder
	parent *node // nil = the directory that is watched
	name   string
	depth  int          // 1 = the directory that is watched
	users  atomic.Int32 // tasks that need the folder; the last one closes it
}

func (n *node) release() {
	if n.users.Add(-1) == 0 {
		n.folder.close()
	}
}

// start begins a walk with so many workers.
func (w *walk) start(path string, workers int) {
	w.done = make(chan struct{})
	w.wake.L = &w.mu
	w.sum = newTally(w.stale)
	w.busy = 1 // the first worker has the directory itself in hand
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			defer w.catch()
			one := worker{walk: w, seen: newTally(w.stale)}
			if i == 0 {
				one.begin(path)
				w.finished()
			}
			one.work()
		})
	}
	go func() {
		defer close(w.done)
		all.Wait()
		for _, t := range w.todo { // what a stopped walk left
			t.in.release()
		}
	}()
}

// isHome says that all workers have ended. What they found may be read then, not before.
func (w *walk) isHome() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// stop makes the workers come home as soon as the kernel lets them.
func (w *walk) stop() {
	w.stopped.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wake.Broadcast()
}

// fail gives the walk up.
func (w *walk) fail(err error) {
	w.mu.Lock()
	if w.fault == nil {
		w.fault = err
	}
	w.mu.Unlock()
	w.stop()
}

// catch keeps a panic for whoever waits for the walk: here it would end the agent.
func (w *walk) catch() {
	if value := recover(); value != nil {
		w.mu.Lock()
		w.broke = pipeline.Panic{Value: value, Stack: debug.Stack()}
		w.mu.Unlock()
		w.stop()
	}
}

// push adds tasks and wakes as many workers as they need.
func (w *walk) push(tasks ...task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.todo = append(w.todo, tasks...)
	if len(tasks) == 1 {
		w.wake.Signal()
	} else if len(tasks) > 1 {
		w.wake.Broadcast()
	}
}

// next waits for a task; there is none once nobody is at work who might bring another.
func (w *walk) next() (t task, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.todo) == 0 && w.busy > 0 && !w.stopped.Load() {
		w.wake.Wait()
	}
	if len(w.todo) == 0 || w.stopped.Load() {
		return task{}, false
	}
	last := len(w.todo) - 1
	t = w.todo[last]
	w.todo[last] = task{}
	w.todo = w.todo[:last]
	w.busy++
	return t, true
}

// finished says that a task is done, and what it brought is on the stack.
func (w *walk) finished() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy--; w.busy == 0 && len(w.todo) == 0 {
		w.wake.Broadcast()
	}
}

func (w *walk) add(seen *tally) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sum.merge(seen)
}
