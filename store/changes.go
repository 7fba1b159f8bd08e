package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

// changes are what the file does not have yet.
type changes struct {
	states  states
	known   int               // how many of them had keys of their own when they were looked through last
	memos   map[string][]byte // nil = removed
	rows    []*Row            // new ones, in the order of their Seq; some may be settled by now
	removed []rowID           // rows that the file still has
	dead    []deadRow
	revived []rowID         // dead letters that are none any more
	dropped []string        // queues that are forgotten altogether
	touched map[*Queue]info // whose head has changed; the info as it is to be written
	done    chan struct{}   // closed when they are written, or seen to be in trouble
}

type rowID struct {
	queue *Queue
	lane  int
	seq   uint64
}

type deadRow struct {
	queue *Queue
	dead  *Dead
}

func newChanges() *changes {
	return &changes{
		memos: map[string][]byte{}, touched: map[*Queue]info{}, done: make(chan struct{}),
	}
}

func (c *changes) touch(q *Queue) { c.touched[q] = info{} }

func (c *changes) empty() bool {
	return len(c.states)+len(c.memos)+len(c.rows)+len(c.removed)+len(c.dead)+len(c.revived)+len(c.dropped)+len(c.touched) == 0
}

// close notes the heads of the queues as they are when all these changes are made.
func (c *changes) close() {
	for q := range c.touched {
		c.touched[q] = q.info
	}
}

// prepend puts earlier changes that could not be written before these.
func (c *changes) prepend(earlier *changes) {
	c.states = append(earlier.states, c.states...)
	for check, data := range earlier.memos {
		if _, later := c.memos[check]; !later {
			c.memos[check] = data
		}
	}
	c.rows = append(earlier.rows, c.rows...)
	c.removed = append(earlier.removed, c.removed...)
	c.dead = append(earlier.dead, c.dead...)
	c.revived = append(earlier.revived, c.revived...)
	c.dropped = append(earlier.dropped, c.dropped...)
	for q := range earlier.touched {
		c.touch(q)
	}
}

// forget drops the states that a later one of the same key has replaced, where they are many: a disk that takes nothing must
// not let them grow without end. Those that stay are copied, for each may hold the memory of many that came with it.
func (c *changes) forget() {
	const few = 1000
	if len(c.states) > 2*c.known+few {
		c.states = c.states.inOrder()
		c.known = len(c.states)
		for i := range c.states {
			c.states[i].Data = bytes.Clone(c.states[i].Data)
		}
	}
}

// write makes the changes in a transaction. settled are rows that need not be written, as they were
// when the transaction began.
func (c *changes) write(tx *bbolt.Tx, settled map[*Row]bool, seq uint64) error {
	w := &txWriter{tx: tx, buckets: map[*Queue]queueBuckets{}}
	c.states = c.states.inOrder()
	w.keys(bucketAlerts, c.states)
	w.keys(bucketMemos, statesOf(c.memos).inOrder())
	w.drop(c.dropped)
	w.remove(c.removed)
	w.rows(c.rows, settled)
	w.dead(c.dead, c.touched)
	w.revive(c.revived, c.touched)
	for q, head := range c.touched {
		w.put(w.queue(q).bucket, keyInfo, head.encode())
	}
	w.put(tx.Bucket(bucketMeta), keySeq, binary.BigEndian.AppendUint64(nil, seq))
	return w.err
}

// txWriter keeps the first error, so that those who use it need not ask after every step.
type txWriter struct {
	tx      *bbolt.Tx
	buckets map[*Queue]queueBuckets
	key     []byte // used again: bbolt copies keys, but not values
	err     error
}

func (w *txWriter) put(b *bbolt.Bucket, key, value []byte) {
	if w.err == nil {
		w.err = b.Put(key, value)
	}
}

func (w *txWriter) delete(b *bbolt.Bucket, key []byte) {
	if w.err == nil {
		w.err = b.Delete(key)
	}
}

func (w *txWriter) queue(q *Queue) queueBuckets {
	b, ok := w.buckets[q]
	if !ok {
		var err error
		if b, err = makeQueue(w.tx, q.name, len(q.lanes)); err != nil && w.err == nil {
			w.err = err
		}
		w.buckets[q] = b
	}
	return b
}

// keys writes or removes, in the order of the keys.
func (w *txWriter) keys(bucket []byte, values states) {
	if len(values) == 0 {
		return
	}
	b := w.tx.Bucket(bucket)
	b.FillPercent = 0.9 // keys rise as a rule: pages that are half empty would be twice as many to write
	for _, value := range values {
		w.key = append(w.key[:0], value.Key...)
		if value.Data == nil {
			w.delete(b, w.key)
		} else {
			w.put(b, w.key, value.Data)
		}
	}
}

func (w *txWriter) drop(names []string) {
	queues := w.tx.Bucket(bucketQueues)
	for _, name := range names {
		if w.err == nil && queues.Bucket([]byte(name)) != nil {
			w.err = queues.DeleteBucket([]byte(name))
		}
	}
}

func (w *txWriter) remove(rows []rowID) {
	for q, lanes := range byLane(rows, func(row rowID) (*Queue, int) { return row.queue, row.lane }) {
		for _, gone := range lanes {
			slices.SortFunc(gone, func(a, b rowID) int { return cmp.Compare(a.seq, b.seq) })
			for _, row := range gone {
				if b := w.queue(q); w.err == nil {
					w.key = appendRowKey(w.key[:0], row.lane, row.seq)
					w.delete(b.rows, w.key)
				}
			}
		}
	}
}

func (w *txWriter) rows(rows []*Row, settled map[*Row]bool) {
	fresh := make([]*Row, 0, len(rows))
	for _, row := range rows {
		if !settled[row] {
			fresh = append(fresh, row)
		}
	}
	for q, lanes := range byLane(fresh, func(row *Row) (*Queue, int) { return row.home, row.lane }) {
		for _, rows := range lanes {
			for _, row := range rows {
				if b := w.queue(q); w.err == nil {
					w.key = appendRowKey(w.key[:0], row.lane, row.Seq)
					w.put(b.rows, w.key, row.value)
				}
			}
		}
	}
}

// byLane brings together what belongs to one lane, in the order of the file's keys as bbolt likes it best,
// and keeps the order within each. Sorting for it took 5 % of the CPU of a burst to five outputs.
func byLane[T any](all []T, where func(T) (*Queue, int)) map[*Queue][][]T {
	lanes := map[*Queue][][]T{}
	for _, one := range all {
		q, lane := where(one)
		of := lanes[q]
		for len(of) <= lane {
			of = append(of, nil)
			lanes[q] = of
		}
		of[lane] = append(of[lane], one)
	}
	return lanes
}

// maxDead is how many dead letters of a queue are kept; the oldest go first.
const maxDead = 1000

// dead writes dead letters, and counts those that are kept.
func (w *txWriter) dead(letters []deadRow, touched map[*Queue]info) {
	for _, letter := range letters {
		b := w.queue(letter.queue)
		if w.err != nil {
			return
		}
		w.put(b.dead, deadKey(letter.dead.Row.Seq), appendDead(nil, letter.dead))
		head := touched[letter.queue]
		head.DeadHeld++
		if head.DeadHeld > maxDead {
			oldest, _ := b.dead.Cursor().First()
			w.delete(b.dead, oldest)
			head.DeadHeld--
		}
		touched[letter.queue] = head
	}
}

// revive removes dead letters.
func (w *txWriter) revive(letters []rowID, touched map[*Queue]info) {
	for _, letter := range letters {
		b := w.queue(letter.queue)
		if w.err != nil || b.dead.Get(deadKey(letter.seq)) == nil {
			continue
		}
		w.delete(b.dead, deadKey(letter.seq))
		head := touched[letter.queue]
		head.DeadHeld--
		touched[letter.queue] = head
	}
}

func deadKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
