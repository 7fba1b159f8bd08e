package procnum

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"sync/atomic"
	"time"

	"catpaw/pipeline"
)

// errAbandoned ends a pass that nobody waits for any more.
var errAbandoned = errors.New("abandoned")

// pass is one walk through the process table, in a goroutine of its own. A process whose memory is locked
// by a page that a dead disk or network mount does not deliver holds up, in the kernel and for as long as
// that lasts, whoever reads its arguments (so that ps hangs, too).
type pass struct {
	skip  map[int32]bool // processes that others hang on
	pid   atomic.Int32   // that is being read; 0 = none
	steps atomic.Int64   // how many were begun
	quit  atomic.Bool    // nobody waits for it any more

	// Under the table's lock.
	blamed int32 // the process for which it was left behind; 0 = none
	ended  bool
}

// begin says which process is read next.
func (w *pass) begin(pid int32) {
	w.pid.Store(pid)
	w.steps.Add(1)
}

type outcome[T any] struct {
	result T
	err    error
	panic  any
}

// guard does a pass and waits for it until ctx ends. A pass that hangs on a process is left behind, one
// goroutine for each such process at most, and done again without that process. While one hangs elsewhere,
// no other is begun.
func guard[T any](ctx context.Context, t *Table, do func(*pass, reader) (T, error)) (T, error) {
	for {
		w, done := t.newPass(), make(chan outcome[T], 1)
		if w == nil {
			var none T
			return none, errLost
		}
		go func() {
			defer t.endPass(w)
			done <- run(t.open, w, do)
		}()
		o, hangs := await(ctx, t, w, done)
		if hangs {
			continue
		}
		if o.panic != nil {
			panic(o.panic) // where the machinery catches it
		}
		return o.result, o.err
	}
}

func run[T any](open func() (reader, error), w *pass, do func(*pass, reader) (T, error)) (o outcome[T]) {
	defer func() {
		if value := recover(); value != nil {
			o.panic = pipeline.Panic{Value: value, Stack: debug.Stack()}
		}
	}()
	r, err := open()
	if err != nil {
		o.err = fmt.Errorf("the process table cannot be read: %w", err)
		return o
	}
	defer r.close()
	o.result, o.err = do(w, r)
	return o
}

func await[T any](ctx context.Context, t *Table, w *pass, done <-chan outcome[T]) (o outcome[T], hangs bool) {
	tick := time.NewTicker(t.hangAfter)
	defer tick.Stop()
	for before := int64(0); ; {
		select {
		case o = <-done:
			return o, false
		case <-ctx.Done():
			t.lose(w)
			o.err = fmt.Errorf("the process table could not be read: %w", context.Cause(ctx))
			return o, false
		case <-tick.C:
			steps := w.steps.Load()
			if steps == before && t.leave(w) {
				return o, true
			}
			before = steps
		}
	}
}

// newPass returns nil while another pass hangs.
func (t *Table) newPass() *pass {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost != nil && !t.lost.ended {
		return nil
	}
	return &pass{skip: maps.Clone(t.stuck)}
}

var errLost = errors.New("the process table cannot be read: an earlier look hangs in the kernel, and none is begun until it returns. " +
	"`ps -eo pid,stat,wchan,args` shows what waits there (state D)")

// lose gives up on a pass because time is up. It ends at its next step; where it hangs, no other begins.
func (t *Table) lose(w *pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.quit.Store(true)
	t.lost = w
}

// leave gives up on a pass that hangs on a process. It does not where the pass has just ended, or hangs
// elsewhere.
func (t *Table) leave(w *pass) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	pid := w.pid.Load()
	if w.ended || pid == 0 {
		return false
	}
	w.blamed = pid
	t.stuck[pid] = true
	w.quit.Store(true)
	return true
}

// endPass makes readable again what the pass hung on: the kernel has let go of it.
func (t *Table) endPass(w *pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.ended = true
	if w.blamed != 0 {
		delete(t.stuck, w.blamed)
	}
}
