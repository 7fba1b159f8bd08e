package store

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"
)

// over reports whether a queue is so far beyond its limits that merging is due. The slack of a tenth
// makes the pass over all rows cost a fixed time for each row that comes in.
func (q *Queue) over() bool {
	return q.info.Counts.queued() > q.limits.MaxEvents+q.limits.MaxEvents/10 ||
		q.info.Bytes > q.limits.MaxBytes+q.limits.MaxBytes/10
}

// enforceLimits brings every queue that is too long within its limits.
func (s *Store) enforceLimits() {
	s.mu.Lock()
	var long []*Queue
	for _, q := range s.queues {
		if q.open && q.limits.MaxEvents > 0 && q.over() {
			long = append(long, q)
		}
	}
	s.mu.Unlock()
	for _, q := range long {
		s.compact(q)
	}
}

// candidate is a row that may be given up, in memory or only in the file.
type candidate struct {
	row    *Row // its Data is missing where it is only in the file
	newest bool // of its key
}

// compact keeps of each key only the newest row. Of what is then still too much it gives up first what
// closes alerts, then the youngest of those that are open: the oldest open alert is kept longest.
func (s *Store) compact(q *Queue) {
	f := s.file // only the writer, which this is, replaces it
	s.freeze(q)
	inFile, err := s.onlyInFile(q)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer q.thaw()
	if err != nil {
		s.readFailed(f, err)
		return
	}
	s.merge(q, inFile)
}

// merge does it with the rows of memory and these of the file.
func (s *Store) merge(q *Queue, inFile []*Row) {
	all := q.candidates(inFile)
	merged, lost := 0, 0
	kept := all[:0]
	bytes := int64(0) // of what is kept; what is still to be written has its turn later
	for _, c := range all {
		if c.newest || c.row.taken {
			kept = append(kept, c)
			bytes += c.row.size()
			continue
		}
		q.settle(c.row)
		merged++
	}
	slices.SortFunc(kept, func(a, b candidate) int { // the first is given up first
		switch {
		case a.row.Closes && b.row.Closes:
			return cmp.Compare(a.row.Seq, b.row.Seq)
		case a.row.Closes:
			return -1
		case b.row.Closes:
			return 1
		}
		return cmp.Compare(b.row.Seq, a.row.Seq)
	})
	q.info.Counts.Merged += uint64(merged)
	for _, c := range kept {
		if len(kept)-lost <= q.limits.MaxEvents && bytes <= q.limits.MaxBytes {
			break
		}
		if !c.row.taken {
			bytes -= c.row.size()
			q.settle(c.row)
			q.info.Counts.Lost++
			lost++
		}
	}
	q.refresh()
	s.forgetInMemory()
	s.signalSoon()
	q.full.tell(s.log.With(zap.String("output", q.name)), "the queue is full: of each alert only the newest event is kept", merged, lost)
}

// pressure tells of a queue that holds too much, at once and then from time to time.
type pressure struct {
	told         time.Time
	merged, lost int // since then
}

func (p *pressure) tell(log *zap.Logger, what string, merged, lost int) {
	const pause = 5 * time.Minute
	p.merged, p.lost = p.merged+merged, p.lost+lost
	if p.merged+p.lost == 0 || time.Since(p.told) < pause {
		return
	}
	log.Warn(what, zap.Int("merged", p.merged), zap.Int("lost", p.lost))
	*p = pressure{told: time.Now()}
}

// onlyInFile returns the rows of a queue that memory does not hold, without their data.
func (s *Store) onlyInFile(q *Queue) (rows []*Row, err error) {
	s.mu.Lock()
	f := s.file
	last := make([]uint64, len(q.lanes))
	for i := range q.lanes {
		last[i] = q.lanes[i].last
		if !q.lanes[i].more {
			last[i] = ^uint64(0)
		}
	}
	hidden := maps.Clone(q.hidden)
	s.mu.Unlock()
	if f == nil {
		return nil, nil
	}
	err = f.read(func(tx *bbolt.Tx) error {
		b := findQueue(tx, q.name, len(last))
		if b.rows == nil {
			return nil
		}
		return b.rows.ForEach(func(key, value []byte) error {
			lane, seq := splitRowKey(key)
			if lane >= len(last) || seq <= last[lane] || hidden[seq] {
				return nil
			}
			row, err := parseRow(key, value, false)
			if err != nil {
				return nil // whoever reads the lane counts it
			}
			row.home, row.bytes = q, int64(len(key)+len(value))
			rows = append(rows, row)
			return nil
		})
	})
	return rows, err
}

// candidates joins the rows of memory and file, oldest first, and marks the newest of each key.
func (q *Queue) candidates(inFile []*Row) []candidate {
	rows := inFile
	for i := range q.lanes {
		rows = append(rows, q.lanes[i].rows...)
		rows = append(rows, q.lanes[i].tail...)
	}
	slices.SortFunc(rows, func(a, b *Row) int { return cmp.Compare(a.Seq, b.Seq) })
	all := make([]candidate, len(rows))
	newest := make(map[string]bool, len(rows))
	for i := len(rows) - 1; i >= 0; i-- {
		all[i] = candidate{rows[i], !newest[rows[i].Key]}
		newest[rows[i].Key] = true
	}
	return all
}
