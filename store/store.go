// Package store keeps what must outlive the process: the state of every live alert, for each output the
// queue of what it has yet to deliver, and what checks remember. It knows bytes and keys, not alerts.
//
//	Commit ─► pending ─► writer ─► one transaction of catpaw.db ─► lanes ─► Take … Settle
//	          (store.go)  (writer.go)  (file.go, layout.go) (lane.go) (queue.go)│
//	             ▲                                                              │
//	             └──────────── settled rows go with the next transaction ◄──────┘
//
// A row is seen by nobody before it is on disk. While the disk fails, rows are seen at once and kept in
// memory as well as on the list of what is still to be written: the disk's trouble is told, and does not
// become the trouble of those who must be warned.
package store

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// State is the encoded state of one alert. Data nil removes it.
type State struct {
	Key  string
	Data []byte
}

// Memo is what a check remembers from one run to the next. Data nil removes it.
type Memo struct {
	Check string
	Data  []byte
}

// Row is one event in the queue of one output. Rows of one key are delivered in order.
type Row struct {
	Queue  string
	Seq    uint64 // set by the store, rising in each queue
	Key    string // alert key
	Time   int64  // unix seconds at which it was decided
	Closes bool   // it ends its alert: what came before it is history
	Data   []byte

	value   []byte // as the file has it, made once; Data is a part of it. nil where Data was not read
	home    *Queue
	lane    int
	hash    uint32 // of the key
	bytes   int64  // its size where Data was not read; else 0
	seen    bool   // it has arrived in a lane, or in the file behind one
	onDisk  bool
	taken   bool // a worker has it
	settled bool // delivered, refused or merged: it is not to be written any more
	moved   bool // it was taken when its lane started over, and may be read from the file again
}

// Tx is what one commit changes, all of it or nothing.
type Tx struct {
	States []State
	Memos  []Memo
	Rows   []*Row // the store's own from now on
}

// Config is what a store is made of.
type Config struct {
	Dir string // holds catpaw.db; "" = keep everything in memory
	// Owned are queues that have an output, which is not going to open them here.
	Owned []string
	Log   *zap.Logger
	// OnReset (or nil) is called, from a goroutine of its own, when a file was lost and a new one begun:
	// the states of all live alerts must be committed again. found are those of a file that could be
	// opened only now.
	OnReset func(found []State)

	noSync bool   // for tests that make crashes of their own
	wrote  func() // called after every transaction
	stall  time.Duration
}

// Store is safe for concurrent use.
type Store struct {
	config Config
	log    *zap.Logger

	mu         sync.Mutex
	seq        uint64
	queues     map[string]*Queue // all that are open or in the file
	memos      map[string][]byte
	pending    *changes // what the next transaction writes
	inflight   *changes // what the writer is writing, nil while it rests
	hangs      bool     // the disk does not answer; it was given what is in flight
	trouble    *Trouble // nil while the disk does its work
	spell      *spell   // of troubles now or not long ago, else nil
	replaced   *Trouble // why the last file was put aside
	settled    int      // rows of pending that are settled
	unreadable bool     // rows of the file cannot be read

	file   *file         // nil: in memory. The writer's own, but for read.
	wake   chan struct{} // something waits to be committed
	soon   chan struct{} // something may be written with it
	orders chan func()
	closed chan struct{} // closed: write what is left, then end
	ended  chan struct{}
}

// Trouble is why nothing can be written.
type Trouble struct {
	Text  string // what is wrong and what to do
	Since time.Time
	Times int // that it came back, of Recurring
}

// stall is how long we wait for a disk that neither works nor fails.
const stall = 5 * time.Second

// Memory makes a store that lives as long as the process.
func Memory(log *zap.Logger) *Store {
	s := newStore(Config{Log: log})
	close(s.ended) // there is no writer
	return s
}

func newStore(c Config) *Store {
	if c.OnReset == nil {
		c.OnReset = func([]State) {}
	}
	if c.wrote == nil {
		c.wrote = func() {}
	}
	if c.stall == 0 {
		c.stall = stall
	}
	return &Store{
		config: c, log: c.Log, seq: uint64(time.Now().UnixNano()),
		queues: map[string]*Queue{}, memos: map[string][]byte{}, pending: newChanges(),
		wake: make(chan struct{}, 1), soon: make(chan struct{}, 1), orders: make(chan func()), closed: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Commit takes over a transaction, to be written as a whole and in order, and returns when the one
// before it is on disk: so one batch is decided while another is written, and nobody runs far ahead of the
// disk. When the disk is in trouble, it is kept in memory until it can be written, and its rows are
// delivered from there. A row for a queue that there is not is left out; one that nobody has opened keeps it.
func (s *Store) Commit(tx Tx) {
	s.mu.Lock()
	s.pending.states = append(s.pending.states, tx.States...)
	for _, memo := range tx.Memos {
		s.setMemo(memo)
	}
	accepted := len(s.pending.rows)
	for _, row := range tx.Rows {
		if q := s.queues[row.Queue]; q != nil {
			q.accept(row)
		}
	}
	if s.config.Dir == "" || s.trouble != nil {
		s.show(s.pending.rows[accepted:])
		s.mergeInMemory()
		s.forgetInMemory()
		s.mu.Unlock()
		if s.config.Dir == "" {
			s.enforceLimits()
		}
		s.signal()
		return
	}
	before, far := s.inflight, len(s.pending.rows)+len(s.pending.states) > runAhead
	s.mu.Unlock()
	s.signal()
	if before == nil || !far {
		return
	}
	timer := time.NewTimer(s.config.stall)
	defer timer.Stop()
	select {
	case <-before.done:
	case <-timer.C:
		s.stalled()
	}
}

// runAhead is how many changes may wait for the disk before those who commit must wait, too: a slow disk
// gets larger transactions. With 8,000 a burst of 100,000 events takes 1.28 s, with one batch 1.58 s.
const runAhead = 8000

// Sync returns nil when all that was committed is on disk. The error says why it is in memory only: the disk is in
// trouble, or hangs, for which nobody waits longer than until it counts as stalled. What is not on disk then is written
// as soon as it can be.
func (s *Store) Sync() error {
	return cmp.Or(s.orderSoon(s.config.stall, func() {}), s.whyNotWritten())
}

// mergeInMemory keeps queues within their limits while the writer is stuck, and states to one of a key.
func (s *Store) mergeInMemory() {
	s.pending.forget()
	if s.inflight == nil {
		return
	}
	for q := range s.pending.touched {
		if q.open && q.limits.MaxEvents > 0 && q.over() {
			s.merge(q, nil)
		}
	}
}

func (s *Store) setMemo(memo Memo) {
	s.pending.memos[memo.Check] = memo.Data
	if memo.Data == nil {
		delete(s.memos, memo.Check)
	} else {
		s.memos[memo.Check] = memo.Data
	}
}

// Memo returns what a check remembers, nil where it remembers nothing.
func (s *Store) Memo(check string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memos[check]
}

// KeepMemos forgets what checks remember that are not among these.
func (s *Store) KeepMemos(checks map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for check := range s.memos {
		if !checks[check] {
			s.setMemo(Memo{Check: check})
		}
	}
}

// Trouble returns what is wrong with the disk, nil where nothing is.
func (s *Store) Trouble() *Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// Close writes what is left and closes the file. It returns how many rows are lost with the process,
// because no disk took them.
func (s *Store) Close() (lost int) {
	if s.config.Dir == "" {
		return 0
	}
	close(s.closed)
	<-s.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.pending.rows {
		if !row.settled {
			lost++
		}
	}
	s.pending.states = s.pending.states.inOrder()
	if s.trouble != nil && len(s.pending.states)+len(s.pending.memos) > 0 {
		s.log.Error("what became of alerts lately is not on disk: the next start knows what was there before, and tells again what it does not know",
			zap.Int("alerts", len(s.pending.states)), zap.String("error", s.trouble.Text))
	}
	return lost
}

// signal wakes the writer.
func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// order has the writer run f between two transactions, and waits for it.
func (s *Store) order(f func()) {
	if s.config.Dir == "" {
		f()
		return
	}
	done := make(chan struct{})
	select {
	case s.orders <- func() { defer close(done); f() }:
		<-done
	case <-s.ended:
	}
}

// orderSoon is order for those who cannot wait for a disk that hangs: where it is known to, or the writer does not get
// to it in that time, f is not run, and the error says why.
func (s *Store) orderSoon(patience time.Duration, f func()) error {
	s.mu.Lock()
	hangs := s.hangs
	s.mu.Unlock()
	switch {
	case hangs:
		return s.whyNotWritten()
	case s.config.Dir == "":
		f()
		return nil
	}
	done := make(chan struct{})
	var decided atomic.Bool // f runs, or never will
	orders := s.orders
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case orders <- func() {
			if decided.CompareAndSwap(false, true) {
				f()
				close(done)
			}
		}:
			orders = nil
		case <-done:
			return nil
		case <-s.ended:
			return nil
		case <-timer.C:
			if decided.CompareAndSwap(false, true) {
				return cmp.Or(s.whyNotWritten(), fmt.Errorf("the disk has not answered within %s", patience))
			}
		}
	}
}
