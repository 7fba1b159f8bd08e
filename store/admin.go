package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// QueueInfo is a queue as its owner wants to see it.
type QueueInfo struct {
	Name   string `json:"name"`
	Orphan bool   `json:"orphan"` // no output of this name is configured
	Queued int    `json:"queued"`
	Bytes  int64  `json:"bytes"`
	Oldest int64  `json:"oldest,omitempty"` // unix seconds of the oldest event, 0 where there is none
	Held   int    `json:"dead_letters"`     // that can be looked at and redriven
	Counts Counts `json:"counts"`
}

// Queues describes every queue, in the order of their names. It does not wait for the disk.
func (s *Store) Queues() (all []QueueInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		all = append(all, QueueInfo{
			Name: name, Orphan: !q.open, Queued: q.info.Counts.queued(), Bytes: q.info.Bytes,
			Oldest: q.oldest(), Held: int(q.info.DeadHeld), Counts: q.info.Counts,
		})
	}
	return all
}

// oldest is the time of the oldest row, as far as memory knows.
func (q *Queue) oldest() (oldest int64) {
	for i := range q.lanes {
		for _, rows := range [][]*Row{q.lanes[i].rows, q.lanes[i].tail} {
			if len(rows) > 0 && (oldest == 0 || rows[0].Time < oldest) {
				oldest = rows[0].Time
			}
		}
	}
	if oldest == 0 && q.info.Counts.queued() > 0 {
		return q.since
	}
	return oldest
}

// errNoQueue names the queue that is not there, and those that are.
func (s *Store) errNoQueue(name string) error {
	return fmt.Errorf("there is no queue %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(s.queues)), ", "))
}

// Rows returns the queued rows after a Seq, oldest first, at most max.
func (s *Store) Rows(name string, after uint64, max int) (rows []*Row, err error) {
	late := s.orderSoon(s.patience(), func() {
		q := s.find(name)
		if q == nil {
			err = s.errNoQueue(name)
			return
		}
		if rows, err = s.allRows(q); err == nil {
			start, _ := slices.BinarySearchFunc(rows, after+1, func(r *Row, seq uint64) int { return cmp.Compare(r.Seq, seq) })
			rows = s.withData(rows[start:min(start+max, len(rows))])
		}
	})
	return rows, cmp.Or(late, err)
}

// patience is for how long people wait who look into queues: the writer may be at a large one.
func (s *Store) patience() time.Duration { return 6 * s.config.stall }

func (s *Store) find(name string) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[name]
}

// allRows returns the rows of memory and file, oldest first, the latter without their data.
func (s *Store) allRows(q *Queue) ([]*Row, error) {
	inFile, err := s.onlyInFile(q)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := q.candidates(inFile)
	rows := make([]*Row, len(all))
	for i := range all {
		rows[i] = all[i].row
	}
	return rows, nil
}

// withData copies what does not change of rows, and reads the data of those that only the file has.
func (s *Store) withData(rows []*Row) []*Row {
	full := make([]*Row, 0, len(rows))
	for _, row := range rows {
		one := row.For(row.home.name)
		one.Seq = row.Seq
		if one.Data == nil && s.file != nil {
			if found, _, _, err := s.file.readLane(row.home, row.lane, row.Seq-1, 1); err == nil && len(found) == 1 && found[0].Seq == row.Seq {
				one = found[0]
			}
		}
		full = append(full, one)
	}
	return full
}

// DeadLetters returns what the sink of a queue refused, the oldest first.
func (s *Store) DeadLetters(name string) (letters []*Dead, err error) {
	late := s.orderSoon(s.patience(), func() { letters, err = s.deadLetters(name) })
	return letters, cmp.Or(late, err)
}

func (s *Store) deadLetters(name string) (letters []*Dead, err error) {
	q := s.find(name)
	if q == nil {
		return nil, s.errNoQueue(name)
	}
	if s.file == nil {
		return nil, nil
	}
	err = s.file.read(func(tx *bbolt.Tx) error {
		b := findQueue(tx, name, len(q.lanes))
		if b.dead == nil {
			return nil
		}
		return b.dead.ForEach(func(key, value []byte) error {
			letters = append(letters, parseDead(key, value))
			return nil
		})
	})
	return letters, err
}

// Purge empties a queue, or with dead its dead letters, and returns how many are gone. An orphan whose
// queue is purged is forgotten altogether.
func (s *Store) Purge(name string, dead bool) (n int, err error) {
	late := s.orderSoon(s.patience(), func() {
		if dead {
			n, err = s.revive(name, "")
		} else {
			n, err = s.empty(name)
		}
		s.flush()
	})
	if late != nil {
		return 0, fmt.Errorf("nothing was done: %w", late)
	}
	return n, errors.Join(err, s.notWritten())
}

// notWritten is what those must hear who wait for a change to be on disk.
func (s *Store) notWritten() error {
	if why := s.whyNotWritten(); why != nil {
		return fmt.Errorf("done in memory only: %w", why)
	}
	return nil
}

func (s *Store) whyNotWritten() error {
	if trouble := s.Trouble(); trouble != nil {
		return errors.New(trouble.Text)
	}
	return nil
}

// empty settles every row of a queue that no worker has.
func (s *Store) empty(name string) (n int, err error) {
	q := s.find(name)
	if q == nil {
		return 0, s.errNoQueue(name)
	}
	s.freeze(q)
	rows, err := s.allRows(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer q.thaw()
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if !row.taken && !row.settled {
			q.settle(row)
			q.info.Counts.Purged++
			n++
		}
	}
	if !q.open {
		delete(s.queues, name)
		delete(s.pending.touched, q)
		s.pending.removed = slices.DeleteFunc(s.pending.removed, func(id rowID) bool { return id.queue == q })
		s.pending.dead = slices.DeleteFunc(s.pending.dead, func(d deadRow) bool { return d.queue == q })
		s.pending.revived = slices.DeleteFunc(s.pending.revived, func(id rowID) bool { return id.queue == q })
		s.pending.dropped = append(s.pending.dropped, name)
	}
	return n, nil
}

// Redrive puts the dead letters of a queue back into it. Where to names another queue, it puts them
// there, and the rows that are still queued as well: so an orphan is drained.
func (s *Store) Redrive(name, to string) (n int, err error) {
	late := s.orderSoon(s.patience(), func() {
		if n, err = s.revive(name, to); err == nil && to != name {
			var moved int
			moved, err = s.move(name, to)
			n += moved
			if q := s.find(name); err == nil && q != nil && !s.owned(q) {
				_, err = s.empty(name) // it is drained: nobody needs it any more
			}
		}
		s.flush()
	})
	if late != nil {
		return 0, fmt.Errorf("nothing was done: %w", late)
	}
	return n, errors.Join(err, s.notWritten())
}

func (s *Store) owned(q *Queue) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.open
}

// revive takes the dead letters of a queue and puts them into another, or nowhere.
func (s *Store) revive(name, to string) (n int, err error) {
	letters, err := s.deadLetters(name)
	if err != nil {
		return 0, err
	}
	q, target := s.find(name), s.find(to)
	if to != "" && target == nil {
		return 0, s.errNoQueue(to)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[rowID]bool{}
	for _, id := range s.pending.revived {
		known[id] = true
	}
	for _, letter := range letters {
		if known[rowID{queue: q, seq: letter.Row.Seq}] { // asked before, while the disk was in trouble
			continue
		}
		if target != nil && letter.Row.Data == nil { // spoilt: it can only be purged
			continue
		}
		n++
		s.pending.revived = append(s.pending.revived, rowID{queue: q, seq: letter.Row.Seq})
		if target != nil {
			target.accept(letter.Row.For(to))
		}
	}
	s.pending.touch(q)
	return n, nil
}

// move takes the rows of one queue and puts them into another.
func (s *Store) move(name, to string) (n int, err error) {
	q, target := s.find(name), s.find(to)
	s.freeze(q)
	defer func() { s.mu.Lock(); q.thaw(); s.mu.Unlock() }()
	rows, err := s.allRows(q)
	if err != nil {
		return 0, err
	}
	const step = 1000 // rows in memory
	for part := range slices.Chunk(rows, step) {
		full := s.withData(part)
		s.mu.Lock()
		for i, row := range part {
			if !row.taken && !row.settled && full[i].Data != nil {
				target.accept(full[i].For(to))
				q.settle(row)
				q.info.Counts.Purged++
				n++
			}
		}
		q.refresh() // before a worker takes what is moved
		s.mu.Unlock()
		s.flush()
	}
	return n, nil
}

// ReadQueues describes the queues of a state directory that no agent uses, and changes nothing there.
func ReadQueues(dir string) (all []QueueInfo, err error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	f := &file{path: path}
	if f.db, err = openDB(path, true); err != nil {
		return nil, err
	}
	defer f.close()
	err = f.read(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta != nil {
			if version := meta.Get(keyVersion); len(version) == 4 && binary.BigEndian.Uint32(version) > layoutVersion {
				return errNewer
			}
		}
		queues := tx.Bucket(bucketQueues)
		if queues == nil {
			return nil
		}
		return queues.ForEachBucket(func(name []byte) error {
			head, err := parseInfo(queues.Bucket(name).Get(keyInfo))
			if err != nil {
				return err
			}
			all = append(all, QueueInfo{
				Name: string(name), Orphan: true, Queued: head.Counts.queued(), Bytes: head.Bytes,
				Oldest: oldestInFile(findQueue(tx, string(name), int(head.Lanes)).rows, int(head.Lanes)),
				Held:   int(head.DeadHeld), Counts: head.Counts,
			})
			return nil
		})
	})
	return all, err
}

func oldestInFile(rows *bbolt.Bucket, lanes int) (oldest int64) {
	if rows == nil {
		return 0
	}
	for lane := range lanes {
		key, value := rows.Cursor().Seek(rowKey(lane, 0))
		if key == nil {
			break
		}
		if row, err := parseRow(key, value, false); err == nil && (oldest == 0 || row.Time < oldest) {
			oldest = row.Time
		}
	}
	return oldest
}
