package store

import (
	"hash/fnv"
	"sync"
)

// MaxRows is the most rows a queue holds after it was compacted by key. Between two compactions it may
// grow by a tenth, so that a full queue costs a fixed time per row, not a pass over all rows for each.
const (
	MaxRows = 100_000
	slack   = MaxRows / 10
)

// Memory is a store that lives as long as the process. It is safe for concurrent use.
type Memory struct {
	mu         sync.Mutex
	states     map[string][]byte
	queues     map[string]*Queue
	onPressure func(queue string, merged, lost int)
}

// NewMemory makes an empty store. onPressure (or nil) is told when a queue at its limit merged rows
// of one key into the newest, or had to give rows up; it must not call the store.
func NewMemory(onPressure func(queue string, merged, lost int)) *Memory {
	if onPressure == nil {
		onPressure = func(string, int, int) {}
	}
	return &Memory{states: map[string][]byte{}, queues: map[string]*Queue{}, onPressure: onPressure}
}

// Commit takes over a transaction. A row for a queue that is not open is left out.
func (m *Memory) Commit(tx Tx) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, state := range tx.States {
		if state.Data == nil {
			delete(m.states, state.Key)
		} else {
			m.states[state.Key] = state.Data
		}
	}
	for _, row := range tx.Rows {
		if q := m.queues[row.Queue]; q != nil {
			if merged, lost := q.push(row); merged+lost > 0 {
				m.onPressure(row.Queue, merged, lost)
			}
		}
	}
	return nil
}

// States returns the state of every live alert, in no order.
func (m *Memory) States() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]State, 0, len(m.states))
	for key, data := range m.states {
		states = append(states, State{key, data})
	}
	return states
}

// Open returns the queue of that name, making it where there is none, with its rows spread over so
// many shards by key. A queue must not be opened again while somebody still reads it.
func (m *Memory) Open(name string, shards int) *Queue {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.queues[name]
	q := newQueue(shards)
	if old != nil {
		for _, row := range old.all() {
			q.push(row)
		}
	}
	m.queues[name] = q
	return q
}

// Drop forgets a queue and returns how many rows it still held.
func (m *Memory) Drop(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[name]
	delete(m.queues, name)
	if q == nil {
		return 0
	}
	return q.Len()
}

// Queue is what one output has yet to deliver, in shards that are read independently. All rows of one
// key are in one shard, in order. It is safe for concurrent use.
type Queue struct {
	mu     sync.Mutex
	seq    uint64
	count  int
	full   int // the count at which to compact next
	shards []shard
}

type shard struct {
	rows []Row // oldest first
	wake chan struct{}
}

func newQueue(shards int) *Queue {
	q := &Queue{full: MaxRows + slack, shards: make([]shard, shards)}
	for i := range q.shards {
		q.shards[i].wake = make(chan struct{}, 1)
	}
	return q
}

func (q *Queue) push(row Row) (merged, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count >= q.full {
		merged, lost = q.compact()
		q.full = q.count + slack
	}
	q.seq++
	row.Seq = q.seq
	hash := fnv.New32a()
	hash.Write([]byte(row.Key))
	s := &q.shards[hash.Sum32()%uint32(len(q.shards))]
	s.rows = append(s.rows, row)
	q.count++
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return merged, lost
}

// compact keeps the newest row of every key; of more than MaxRows keys it gives up the oldest.
func (q *Queue) compact() (merged, lost int) {
	for i := range q.shards {
		s := &q.shards[i]
		newest := make(map[string]uint64, len(s.rows))
		for _, row := range s.rows {
			newest[row.Key] = row.Seq
		}
		kept := s.rows[:0]
		for _, row := range s.rows {
			if newest[row.Key] == row.Seq {
				kept = append(kept, row)
			}
		}
		merged += len(s.rows) - len(kept)
		s.setRows(kept)
	}
	q.count -= merged
	for ; q.count > MaxRows; q.count-- {
		q.dropOldest()
		lost++
	}
	return merged, lost
}

func (q *Queue) dropOldest() {
	oldest := -1
	for i := range q.shards {
		if rows := q.shards[i].rows; len(rows) > 0 && (oldest < 0 || rows[0].Seq < q.shards[oldest].rows[0].Seq) {
			oldest = i
		}
	}
	q.shards[oldest].rows = q.shards[oldest].rows[1:]
}

func (s *shard) setRows(kept []Row) {
	clear(s.rows[len(kept):]) // let the dropped data go
	s.rows = kept
}

// Peek returns the oldest rows of a shard, at most max. They stay until they are removed.
func (q *Queue) Peek(shard, max int) []Row {
	q.mu.Lock()
	defer q.mu.Unlock()
	rows := q.shards[shard].rows
	return append([]Row(nil), rows[:min(max, len(rows))]...)
}

// Remove takes rows out of a shard, in the order in which Peek gave them.
func (q *Queue) Remove(shard int, done []Row) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &q.shards[shard]
	var kept []Row
	i := 0
	for ; i < len(s.rows) && len(done) > 0; i++ {
		for len(done) > 0 && done[0].Seq < s.rows[i].Seq { // compacted away meanwhile
			done = done[1:]
		}
		if len(done) > 0 && done[0].Seq == s.rows[i].Seq {
			done = done[1:]
			q.count--
			continue
		}
		kept = append(kept, s.rows[i])
	}
	start := i - len(kept)
	copy(s.rows[start:i], kept)
	clear(s.rows[:start])
	s.rows = s.rows[start:]
	if len(s.rows) == 0 {
		s.rows = nil // the array behind it may once have held a long outage
	}
}

// Wake signals that a shard may have new rows. It may signal once too often, never once too few.
func (q *Queue) Wake(shard int) <-chan struct{} { return q.shards[shard].wake }

// Len is the number of rows in all shards.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

func (q *Queue) all() []Row {
	q.mu.Lock()
	defer q.mu.Unlock()
	var rows []Row
	for i := range q.shards {
		rows = append(rows, q.shards[i].rows...)
	}
	return rows
}
