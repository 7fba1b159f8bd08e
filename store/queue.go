package store

import (
	"cmp"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"go.uber.org/zap"

	"catpaw/internal/printable"
)

// Queue is what one output has yet to deliver, in lanes that are worked on independently. All rows of
// one key are in one lane, in order. Of a long queue only the head of each lane is in memory.
type Queue struct {
	store *Store
	name  string

	// All that follows is guarded by store.mu.
	open    bool // an output has it; else it is an orphan
	limits  Limits
	lanes   []lane
	info    info     // as the file will know it after the next transaction
	full    pressure // of a queue at its limits
	thinned pressure // of alerts that the sink does not take
	frozen  bool     // rows are being merged or purged: nothing is loaded from the file
	astray  bool     // rows of it lie in another number of lanes, which could not be changed yet
	epoch   int      // counts what makes a reading of the file out of date
	since   int64    // time of the oldest row, as of the start
	// hidden are rows that only the file has and that are settled; the next transaction removes them.
	hidden map[uint64]bool
}

// Limits bound a queue.
type Limits struct {
	Lanes     int   // workers
	Window    int   // rows of a lane that are kept in memory, at least
	MaxEvents int   // beyond it, rows are merged by key; it may be exceeded by a tenth
	MaxBytes  int64 // likewise
	Brief     bool  // of what is late, the newest row of a key tells for all before it
}

func (q *Queue) setLanes(n int) {
	q.lanes = make([]lane, n)
	for i := range q.lanes {
		q.lanes[i].wake = make(chan struct{}, 1)
	}
	q.info.Lanes = uint16(n)
}

func (q *Queue) laneOf(key string) int { return int(hashOf(key) % uint32(len(q.lanes))) }

// hashOf is FNV-1a (https://datatracker.ietf.org/doc/draft-eastlake-fnv/).
func hashOf(key string) uint32 {
	hash := fnv.New32a()
	hash.Write([]byte(key))
	return hash.Sum32()
}

// size is what a row counts for in MaxBytes.
func (r *Row) size() int64 {
	if r.bytes != 0 {
		return r.bytes
	}
	return int64(rowKeySize + rowHeader + len(r.Key) + len(r.Data) + rowCRC)
}

// accept takes a new row over, for the next transaction.
func (q *Queue) accept(r *Row) {
	q.store.seq++
	r.Seq, r.home, r.hash = q.store.seq, q, hashOf(r.Key)
	r.lane = int(r.hash % uint32(len(q.lanes)))
	if r.Time == 0 {
		r.Time = time.Now().Unix()
	}
	r.encode()
	q.info.Counts.Accepted++
	q.info.Bytes += r.size()
	q.store.pending.rows = append(q.store.pending.rows, r)
	q.store.pending.touch(q)
}

// arrive makes a row visible that is on disk, or that only memory holds.
func (q *Queue) arrive(r *Row) {
	r.seen = true
	l := &q.lanes[r.lane]
	if r.onDisk {
		l.top = max(l.top, r.Seq)
	}
	switch {
	case r.onDisk && r.Seq <= l.last: // it was read from the file before the writer could tell of it
	case r.onDisk && (l.more || len(l.rows) >= q.limits.Window): // it is read when its turn comes
		l.more = true
	case l.more:
		l.tail = append(l.tail, r)
	default:
		l.rows = append(l.rows, r)
		if r.onDisk {
			l.last = r.Seq
		}
	}
	l.signal()
}

// Take returns the oldest rows of a lane, one of each key, at most max, leaving out keys for which skip
// (or nil) is true. Rows decided before late (unix seconds) that a later one closes come together with
// it; in a brief queue all late rows of a key come together. All stay in the queue until they are settled; the next Take may return them again.
func (q *Queue) Take(lane, max int, late int64, skip func(key string) bool) []Parcel {
	q.store.mu.Lock()
	l := &q.lanes[lane]
	l.handBack()
	brief := q.limits.Brief
	parcels := l.pick(max, late, brief, skip)
	if q.mayLoad(l) && (len(parcels) < max || q.low(l, max)) {
		q.store.mu.Unlock()
		q.load(lane)
		q.store.mu.Lock()
		parcels = l.pick(max, late, brief, skip)
	}
	for _, parcel := range parcels {
		for _, row := range parcel.Rows {
			row.taken = true
			l.out = append(l.out, row)
		}
	}
	q.store.mu.Unlock()
	return parcels
}

// Coming returns a channel that is closed when the transaction that is being written now, which has more rows for the
// lane, is done; nil where there is none.
func (q *Queue) Coming(lane int) <-chan struct{} {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	if c := q.store.inflight; c != nil && q.lanes[lane].coming && q.store.trouble == nil {
		return c.done
	}
	return nil
}

// Backlog reports whether rows of a lane are only in the file, so that Take may have to read it.
func (q *Queue) Backlog(lane int) bool {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	return q.lanes[lane].more
}

// Return says that nobody works any more on what Take gave last and is not settled: until the next Take
// it may be merged or purged.
func (q *Queue) Return(lane int) {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	q.lanes[lane].handBack()
}

// mayLoad reports whether rows of a lane are only in the file, and there is room for them.
func (q *Queue) mayLoad(l *lane) bool {
	return l.more && !q.frozen && q.store.file != nil && !q.crowded(l)
}

// low reports whether few rows are in memory behind those that are taken: what is late is to be told together with what
// ended it, as far as that is seen.
func (q *Queue) low(l *lane, taken int) bool {
	if len(l.rows) >= q.limits.Window/2+taken {
		return false
	}
	size := int64(0)
	for _, row := range l.rows {
		size += row.size()
	}
	return size < mostBytes
}

// crowded: keys that wait for another try may fill so many windows.
func (q *Queue) crowded(l *lane) bool { return len(l.rows) >= 4*q.limits.Window }

// Thin makes room in a lane that is crowded with rows of keys that wait: of each of these only the newest stays. Else no
// other would be loaded from the file, and one alert that the sink does not take would hold up all others.
func (q *Queue) Thin(lane int, waits func(key string) bool) {
	s := q.store
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &q.lanes[lane]
	if !l.more || q.frozen || !q.crowded(l) {
		return
	}
	l.handBack()
	newest, merged := map[string]*Row{}, 0
	for _, row := range l.rows {
		if !waits(row.Key) {
			continue
		}
		if older := newest[row.Key]; older != nil {
			q.settle(older)
			merged++
		}
		newest[row.Key] = row
	}
	if merged == 0 {
		return
	}
	q.info.Counts.Merged += uint64(merged)
	l.dropSettled()
	s.forgetInMemory()
	s.signalSoon()
	q.thinned.tell(s.log.With(zap.String("output", q.name)), "of an alert that the sink does not take only the newest event is kept", merged, 0)
}

// load reads the next rows of a lane from the file. Only who delivers the lane calls it.
func (q *Queue) load(n int) {
	s := q.store
	s.mu.Lock()
	l := &q.lanes[n]
	after, top, epoch, f := l.last, l.top, q.epoch, s.file
	s.mu.Unlock()
	if f == nil {
		return
	}
	rows, spoilt, more, err := f.readLane(q, n, after, q.limits.Window)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.readFailed(f, err)
		return
	}
	if q.epoch != epoch || q.frozen { // what was read is out of date
		l.signal()
		return
	}
	if c := s.inflight; c != nil && len(c.rows) > 0 {
		// A file whose last fsync hangs shows what it may yet lose; the writer tells of that, or has in its trouble.
		unsure := func(row *Row) bool { return row.Seq >= c.rows[0].Seq }
		read := len(rows) + len(spoilt)
		rows, spoilt = slices.DeleteFunc(rows, unsure), slices.DeleteFunc(spoilt, unsure)
		more = more && len(rows)+len(spoilt) == read
	}
	for _, row := range spoilt {
		if l.last = max(l.last, row.Seq); !q.hidden[row.Seq] {
			q.settle(row)
			q.info.Counts.Lost++
			s.log.Error("an event in the queue was damaged on disk and is lost", zap.String("output", q.name))
		}
	}
	for _, row := range rows {
		if l.last = max(l.last, row.Seq); !q.hidden[row.Seq] {
			l.rows = append(l.rows, row)
		}
	}
	if !more {
		l.last = max(l.last, top) // the rest up to there is settled
	}
	// What arrived since the file was read was left to the file.
	if l.more = more || l.top > l.last; !l.more {
		l.rows = append(l.rows, l.tail...)
		l.tail = nil
	}
}

// Settle ends parcels: the sink has them (reason ""), or it refused them for good.
func (q *Queue) Settle(lane int, parcels []Parcel, reason string) {
	s := q.store
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, parcel := range parcels {
		for i, row := range parcel.Rows {
			if row.settled { // purged meanwhile
				continue
			}
			q.settle(row)
			switch {
			case i < len(parcel.Rows)-1:
				q.info.Counts.Merged++
			case reason == "":
				q.info.Counts.Delivered++
			default:
				q.info.Counts.Dead++
				s.pending.dead = append(s.pending.dead, deadRow{q, &Dead{Row: row, Time: time.Now().Unix(), Reason: printable.Head(reason, maxReason)}})
			}
		}
	}
	q.lanes[lane].dropSettled()
	s.boundDead()
	s.forgetInMemory()
	s.signalSoon()
}

// boundDead keeps no more dead letters in memory than the file would, while the disk is in trouble.
func (s *Store) boundDead() {
	if over := len(s.pending.dead) - maxDead; over > 0 && s.trouble != nil {
		s.pending.dead = slices.Delete(s.pending.dead, 0, over)
	}
}

// settle takes a row out of the queue; the caller counts what became of it.
func (q *Queue) settle(r *Row) {
	r.settled = true
	q.info.Bytes -= r.size()
	p := q.store.pending
	p.touch(q)
	if l := &q.lanes[r.lane]; r.onDisk {
		p.removed = append(p.removed, r.id())
		if r.Seq > l.last { // it is not to be read again before it is removed
			q.hide(r.Seq)
		}
		if r.moved {
			l.settleTwin(r)
		}
	} else { // the writer has it, or will have, and sees that it is settled
		q.store.settled++
	}
}

// startOver reads the lanes from the file from the beginning: it has rows that are older than all of
// memory.
func (q *Queue) startOver() {
	q.epoch++
	for i := range q.lanes {
		l := &q.lanes[i]
		for _, row := range l.rows {
			row.moved = row.taken
		}
		l.tail = slices.DeleteFunc(append(l.rows, l.tail...), func(row *Row) bool { return row.onDisk })
		l.rows, l.last, l.more = nil, 0, true
		l.signal()
	}
	for _, id := range q.store.pending.removed {
		if id.queue == q {
			q.hide(id.seq)
		}
	}
}

// hide has load skip a row of the file.
func (q *Queue) hide(seq uint64) {
	q.epoch++
	if q.hidden == nil {
		q.hidden = map[uint64]bool{}
	}
	q.hidden[seq] = true
}

func (r *Row) id() rowID { return rowID{r.home, r.lane, r.Seq} }

// freeze keeps workers from loading rows of a queue, until it thaws.
func (s *Store) freeze(q *Queue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.frozen = true
}

func (q *Queue) thaw() {
	q.frozen = false
	q.refresh()
}

// refresh takes settled rows off all lanes and has their workers look again.
func (q *Queue) refresh() {
	for i := range q.lanes {
		q.lanes[i].dropSettled()
		q.lanes[i].signal()
	}
}

// Wake signals that a lane may have new rows. It may signal once too often, never once too few.
func (q *Queue) Wake(lane int) <-chan struct{} { return q.lanes[lane].wake }

// Len is the number of rows in all lanes.
func (q *Queue) Len() int {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	return q.info.Counts.queued()
}

// Open returns the queue of that name for one output, making it where there is none. It must not be
// opened again while somebody still takes from it.
func (s *Store) Open(name string, limits Limits) *Queue {
	s.mu.Lock()
	q := s.queues[name]
	if q == nil {
		q = &Queue{store: s, name: name}
		q.setLanes(limits.Lanes)
		s.queues[name] = q
	}
	q.open, q.limits = true, limits
	lanes := len(q.lanes)
	s.mu.Unlock()
	if lanes != limits.Lanes {
		var refused error
		err := s.orderSoon(s.config.stall, func() { refused = s.relane(q, limits.Lanes) })
		if err = cmp.Or(err, refused); err != nil {
			s.log.Warn("what waits for the output cannot be spread over another number of senders now: it keeps the old one until it starts again",
				zap.String("output", name), zap.Int("senders", q.Lanes()), zap.Error(err))
		}
	}
	for i := range q.lanes {
		q.lanes[i].signal()
	}
	return q
}

// Lanes is the number of lanes, each of which needs somebody who takes from it: that of the limits, unless the disk did
// not let it be changed.
func (q *Queue) Lanes() int {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	return len(q.lanes)
}

// relane spreads the rows of a queue over another number of lanes. The writer calls it, when nobody takes from the queue.
// Unless the rows of the file come along all stays as it was: those that memory has would overtake them.
func (s *Store) relane(q *Queue, lanes int) error {
	s.freeze(q)
	moved, err := false, error(nil)
	if s.file != nil {
		if err = s.whyNotWritten(); err == nil {
			moved, err = s.file.relane(q.name, lanes)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer q.thaw()
	if err != nil && !moved {
		return err
	}
	q.spread(lanes)
	q.astray = err != nil // a part of them came along
	if s.file != nil {
		q.startOver()
	}
	return err
}

// spread is relane for what the file does not have.
func (q *Queue) spread(lanes int) {
	var rows []*Row
	for i := range q.lanes {
		l := &q.lanes[i]
		for _, row := range append(l.rows, l.tail...) {
			if !row.onDisk && !row.settled {
				rows = append(rows, row)
			}
		}
	}
	q.setLanes(lanes)
	q.store.pending.touch(q)
	for _, row := range q.store.pending.rows {
		if row.home == q {
			row.lane = q.laneOf(row.Key)
		}
	}
	slices.SortFunc(rows, func(a, b *Row) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, row := range rows {
		row.lane, row.taken = q.laneOf(row.Key), false
		q.arrive(row)
	}
}

// gather moves rows of a queue that lie in another number of lanes; where the disk does not let it, it is
// tried again when it does.
func (s *Store) gather(q *Queue) {
	if s.file == nil || !q.astray {
		return
	}
	s.pending.touch(q)
	switch _, err := s.file.relane(q.name, len(q.lanes)); {
	case errors.Is(err, errDamaged):
		s.readFailed(s.file, err)
	case err != nil:
		s.troubled(err)
	default:
		q.astray = false
		q.startOver()
	}
}

// Claim says that a queue has an output again, which will open it when its predecessor has ended.
func (s *Store) Claim(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		q.open = true
	}
}

// Release says that an output no longer uses its queue, which stays where it is, as an orphan.
func (s *Store) Release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		q.open = false
	}
}
