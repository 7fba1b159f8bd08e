package procnum

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// moment is how long one look at the process table serves all the checks that come.
const moment = time.Second

// Table is the process table of this host, which the checks of this probe read together:
//
//	check ─┐           at most one second old, and not yet seen by this check?
//	check ─┼─► look ─┬─ yes ─► the snapshot that is there, with the columns that were missing
//	check ─┘  (turn) └─ no ──► a new one
//
// It is safe for concurrent use. It keeps the last snapshot: about 200 bytes a process and their
// arguments.
type Table struct {
	open      func() (reader, error)
	now       func() time.Time
	users     accounts
	hangAfter time.Duration // how long one process may take to be read

	turn chan struct{} // whoever has put something in may look
	last *snapshot     // of the holder of the turn

	mu    sync.Mutex
	stuck map[int32]bool // processes on whose arguments a pass hangs
	lost  *pass          // hangs elsewhere; nil = none
}

// NewTable returns the table. It reads nothing before a check asks.
func NewTable() *Table {
	return &Table{open: openReader, now: time.Now, users: accounts{lookup: lookupUser, now: time.Now, known: map[string]*account{}}, hangAfter: 2 * time.Second,
		turn: make(chan struct{}, 1), stuck: map[int32]bool{}}
}

// snapshot is the process table at one moment. A column, once there, does not change.
type snapshot struct {
	number uint64 // of the look, rising
	taken  time.Time
	hidden bool // there may be processes that were not to be seen
	pids   []int32
	args   *column
	states []state
	names  *column // nil until asked for, as the next
	noPath []bool
	users  []string
}

// columns says what of a snapshot a check needs.
type columns struct {
	names, users bool
}

// look returns the processes of this moment with the columns that are needed. Nobody sees the snapshot
// of the number already seen again: that would count as two looks.
func (t *Table) look(ctx context.Context, need columns, seen uint64) (*snapshot, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("the process table could not be read: another check of this probe waits for it: %w", context.Cause(ctx))
	}
	if s := t.last; s == nil || s.number == seen || t.now().Sub(s.taken) >= moment {
		fresh, err := t.list(ctx)
		if err != nil {
			return nil, err
		}
		if err := t.fill(ctx, fresh, s); err != nil {
			return nil, err
		}
		fresh.number, fresh.taken = 1, t.now()
		if s != nil {
			fresh.number = s.number + 1
		}
		t.last = fresh
	}
	err := t.complete(ctx, t.last, need)
	mine := *t.last // the next to come may add columns to it
	return &mine, err
}

// one looks at a single process, at this instant. is: whether there is one.
func (t *Table) one(ctx context.Context, pid int32, need columns) (_ *snapshot, is state, err error) {
	s := &snapshot{pids: []int32{pid}}
	is, err = guard(ctx, t, func(_ *pass, r reader) (state, error) { return r.is(ctx, pid), nil })
	if err != nil || is != alive {
		return s, is, err
	}
	if err := t.fill(ctx, s, nil); err != nil {
		return nil, is, err
	}
	return s, s.states[0], t.complete(ctx, s, need)
}

func (t *Table) list(ctx context.Context) (*snapshot, error) {
	return guard(ctx, t, func(_ *pass, r reader) (*snapshot, error) {
		pids, hidden, err := r.list(ctx)
		if err != nil {
			return nil, fmt.Errorf("the processes cannot be listed: %w", err)
		}
		return &snapshot{pids: pids, hidden: hidden}, nil
	})
}

// fill reads the arguments and states of all processes, which every search needs.
func (t *Table) fill(ctx context.Context, s, before *snapshot) error {
	type rows struct {
		args   *column
		states []state
	}
	read, err := guard(ctx, t, func(w *pass, r reader) (rows, error) {
		text, states := newColumnBuilder(len(s.pids), 128), make([]state, len(s.pids))
		knew := before.kernelThreads()
		for i, pid := range s.pids {
			if states[i] = hung; !w.skip[pid] {
				w.begin(pid)
				text.text, states[i] = r.args(ctx, pid, knew(pid), text.text)
			}
			if text.end(); w.quit.Load() {
				return rows{}, errAbandoned
			}
		}
		return rows{text.column(), states}, nil
	})
	s.args, s.states = read.args, read.states
	return err
}

// kernelThreads returns a function that, asked for rising pids, says which were threads of the kernel.
// They are half the processes of an idle host, and what they are needs a file more.
func (s *snapshot) kernelThreads() func(pid int32) bool {
	at := 0
	return func(pid int32) bool {
		if s == nil {
			return false
		}
		for at < len(s.pids) && s.pids[at] < pid {
			at++
		}
		return at < len(s.pids) && s.pids[at] == pid && s.states[at] == kernel
	}
}

// complete reads the columns that are needed and not there yet.
func (t *Table) complete(ctx context.Context, s *snapshot, need columns) (err error) {
	if need.names && s.names == nil {
		err = t.readNames(ctx, s)
	}
	if need.users && s.users == nil && err == nil {
		s.users, err = guard(ctx, t, func(w *pass, r reader) ([]string, error) {
			users := make([]string, len(s.pids))
			for i, pid := range s.pids {
				if users[i] = r.user(ctx, pid); w.quit.Load() {
					return nil, errAbandoned
				}
			}
			return users, nil
		})
	}
	return err
}

func (t *Table) readNames(ctx context.Context, s *snapshot) error {
	type rows struct {
		names  *column
		noPath []bool
	}
	read, err := guard(ctx, t, func(w *pass, r reader) (rows, error) {
		text, noPath := newColumnBuilder(len(s.pids), 64), make([]bool, len(s.pids))
		for i, pid := range s.pids {
			text.text, noPath[i] = r.names(ctx, pid, s.args.row(i), s.states[i], text.text)
			if text.end(); w.quit.Load() {
				return rows{}, errAbandoned
			}
		}
		return rows{text.column(), noPath}, nil
	})
	s.names, s.noPath = read.names, read.noPath
	return err
}
