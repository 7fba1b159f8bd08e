package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"
)

const (
	// ackDelay is how long settled rows wait for company before they are taken out of the file. What
	// was delivered in this time is delivered again after a kill -9.
	ackDelay = 50 * time.Millisecond
	// retryPause is the time between two tries while the disk is in trouble.
	retryPause = time.Second
	// pulsePause is how long it takes at most to notice that the file was removed.
	pulsePause = 5 * time.Second
	// tidyPause is the least time between two looks whether the file is worth rewriting.
	tidyPause = time.Minute
)

// write is the only goroutine that writes to the file.
func (s *Store) write() {
	defer close(s.ended)
	var soon, retry <-chan time.Time
	tidied := time.Now()
	pulse := time.NewTicker(pulsePause)
	defer pulse.Stop()
	for {
		select {
		case <-s.wake:
		case <-pulse.C:
		case <-s.soon:
			if soon == nil {
				soon = time.After(ackDelay)
			}
			continue
		case <-soon:
		case f := <-s.orders:
			s.flush()
			f()
		case <-retry:
		case <-s.closed:
			s.flush()
			if s.file != nil {
				s.file.close()
			}
			return
		}
		s.flush()
		s.mu.Lock()
		s.calm()
		s.mu.Unlock()
		s.gatherAll()
		s.enforceLimits()
		soon, retry = nil, nil
		if s.Trouble() != nil {
			retry = time.After(retryPause)
		} else if time.Since(tidied) > tidyPause {
			tidied = time.Now()
			s.tidy()
		}
	}
}

// flush writes what is pending in one transaction.
func (s *Store) flush() {
	if s.config.Dir == "" {
		return
	}
	if s.file == nil && !s.reopen() {
		return
	}
	s.mu.Lock()
	idle := s.pending.empty() && s.trouble == nil
	s.mu.Unlock()
	if idle && s.file.present() { // asked outside the lock: a disk that hangs may not answer
		return
	}
	s.mu.Lock()
	c := s.pending
	s.pending, s.inflight = newChanges(), c
	c.close()
	settled := map[*Row]bool{}
	for _, row := range c.rows {
		if row.settled {
			settled[row] = true
		} else {
			row.home.lanes[row.lane].coming = true
		}
	}
	seq, unreadable := s.seq, s.unreadable
	s.unreadable = false
	s.mu.Unlock()
	defer time.AfterFunc(s.config.stall, s.stalled).Stop()

	var err error
	if unreadable {
		err = fmt.Errorf("%w: rows cannot be read", errDamaged)
	} else if !s.file.present() {
		if err = s.file.rewrite(); err == nil {
			s.log.Error("the state file was removed while catpaw runs; it was written again", zap.String("file", s.file.path))
		}
	}
	if err == nil {
		err = s.file.update(func(tx *bbolt.Tx) error { return c.write(tx, settled, seq) })
	}

	s.config.wrote()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.inflight, s.hangs = nil, false
	for _, row := range c.rows {
		row.home.lanes[row.lane].coming = false
	}
	if err != nil {
		s.failed(c, err)
	} else {
		s.written(c, settled)
	}
	close(c.done)
}

// written makes visible what is now on disk.
func (s *Store) written(c *changes, skipped map[*Row]bool) {
	for _, row := range c.rows {
		if skipped[row] {
			continue
		}
		row.onDisk = true
		switch {
		case row.settled: // while it was being written
			s.pending.removed = append(s.pending.removed, row.id())
			row.home.hide(row.Seq)
			s.signalSoon()
		case !row.seen:
			row.home.arrive(row)
		}
	}
	for _, id := range c.removed {
		if id.queue.hidden[id.seq] {
			delete(id.queue.hidden, id.seq)
			id.queue.epoch++ // who is reading a file that still has it must read again
		}
	}
	for q, head := range c.touched { // only the transaction knew how many dead letters it kept
		q.info.DeadHeld = head.DeadHeld
		q.onDisk()
	}
	if s.trouble != nil {
		s.mended()
		for _, q := range s.queues { // who could not read may have gone to sleep
			q.refresh()
		}
	}
}

// onDisk leaves to the file what memory held only because the disk was in trouble, and notes up to where
// memory has what the file has.
func (q *Queue) onDisk() {
	for i := range q.lanes {
		l := &q.lanes[i]
		for n := len(l.rows) - 1; n >= 0; n-- {
			if l.rows[n].onDisk {
				l.last = max(l.last, l.rows[n].Seq)
				break
			}
		}
		l.tail = slices.DeleteFunc(l.tail, func(row *Row) bool { return row.onDisk })
	}
}

// failed keeps what could not be written, and shows it nevertheless.
func (s *Store) failed(c *changes, err error) {
	s.pending.prepend(c)
	s.troubled(err)
	s.show(s.pending.rows)
	if errors.Is(err, errDamaged) {
		s.replace()
	}
}

// stalled gives up waiting for a disk that does not answer.
func (s *Store) stalled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight == nil { // it has answered by now
		return
	}
	s.hangs = true
	s.troubled(fmt.Errorf("the disk has not answered for %s", s.config.stall))
	s.show(s.inflight.rows)
	s.show(s.pending.rows)
}

// show makes rows visible that the disk does not take.
func (s *Store) show(rows []*Row) {
	for _, row := range rows {
		if !row.seen && !row.settled {
			row.home.arrive(row)
		}
	}
}

// forgetInMemory drops what a store without a file, or in trouble for long, need not keep.
func (s *Store) forgetInMemory() {
	p := s.pending
	if s.config.Dir == "" {
		s.pending, s.settled = newChanges(), 0
		return
	}
	if s.settled > 1000 && s.settled > len(p.rows)/2 {
		p.rows = unsettled(p.rows)
		s.settled = 0
	}
}

// signalSoon has the writer write before long.
func (s *Store) signalSoon() {
	select {
	case s.soon <- struct{}{}:
	default:
	}
}

// readFailed notes that rows of a file cannot be read. The next write finds out how bad it is.
func (s *Store) readFailed(f *file, err error) {
	if s.file != f { // it was replaced meanwhile
		return
	}
	s.troubled(err)
	s.unreadable = s.unreadable || errors.Is(err, errDamaged)
	s.signal()
}

// gatherAll tries again to move rows that lie in another number of lanes.
func (s *Store) gatherAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble == nil {
		for _, q := range s.queues {
			s.gather(q)
		}
	}
}

// tidy gives the space of a file that is mostly free back to the file system.
func (s *Store) tidy() {
	if s.file == nil || !s.file.mostlyFree() {
		return
	}
	if err := s.file.rewrite(); err != nil {
		s.log.Warn("the state file is mostly free space and cannot be rewritten smaller", zap.Error(err))
	}
}
