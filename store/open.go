package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"
)

// Open opens the store of a state directory and returns the states of the alerts in it. The only error
// is ErrInUse: whatever else is wrong with the disk is told by Trouble, and tried again.
func Open(c Config) (*Store, []State, error) {
	s := newStore(c)
	f, held, err := s.openOrBegin()
	if errors.Is(err, ErrInUse) {
		return nil, nil, err
	}
	s.mu.Lock()
	if err == nil {
		s.adopt(f, held)
	} else {
		s.troubled(err)
	}
	for _, name := range c.Owned {
		if s.queues[name] == nil {
			q := &Queue{store: s, name: name}
			q.setLanes(1)
			s.queues[name] = q
		}
		s.queues[name].open = true
	}
	s.mu.Unlock()
	go s.write()
	return s, held.states, nil
}

// openOrBegin opens the file and reads what memory must know of it. One that cannot be read is put
// aside, and a new one begun.
func (s *Store) openOrBegin() (*file, held, error) {
	f, held, err := openAndRead(s.config.Dir)
	why := ""
	switch {
	case errors.Is(err, errDamaged):
		why = "corrupt"
	case errors.Is(err, errNewer):
		why = "newer"
	default:
		return f, held, err
	}
	path := filepath.Join(s.config.Dir, FileName)
	s.log.Error("the state file cannot be used; it is put aside and a new one begun. Alerts and queues in it are not known",
		zap.String("file", path), zap.Error(err), zap.String("kept_as", path+"."+why+"-…"))
	if aside := putAside(path, why); aside != nil {
		return nil, held, aside
	}
	s.mu.Lock()
	s.noteReplaced(explain(err))
	s.mu.Unlock()
	return openAndRead(s.config.Dir)
}

// reopen tries again to get a file.
func (s *Store) reopen() bool {
	f, held, err := s.openOrBegin()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.troubled(err)
		s.show(s.pending.rows)
		return false
	}
	s.adopt(f, held)
	go s.config.OnReset(held.states)
	return true
}

// held is what memory must know of a file.
type held struct {
	seq    uint64
	states []State
	memos  map[string][]byte
	heads  map[string]info
	oldest map[string]int64
}

func openAndRead(dir string) (*file, held, error) {
	h := held{memos: map[string][]byte{}, heads: map[string]info{}, oldest: map[string]int64{}}
	f, err := openFile(dir)
	if err != nil {
		return nil, h, err
	}
	if err := f.read(h.read); err != nil {
		f.close()
		return nil, h, err
	}
	return f, h, nil
}

func (h *held) read(tx *bbolt.Tx) error {
	if seq := tx.Bucket(bucketMeta).Get(keySeq); len(seq) == 8 {
		h.seq = binary.BigEndian.Uint64(seq)
	}
	err := tx.Bucket(bucketAlerts).ForEach(func(key, data []byte) error {
		h.states = append(h.states, State{string(key), append([]byte(nil), data...)})
		return nil
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(bucketMemos).ForEach(func(check, data []byte) error {
		h.memos[string(check)] = append([]byte(nil), data...)
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketQueues).ForEachBucket(func(name []byte) error {
		head, err := parseInfo(tx.Bucket(bucketQueues).Bucket(name).Get(keyInfo))
		h.heads[string(name)] = head
		h.oldest[string(name)] = oldestInFile(findQueue(tx, string(name), int(head.Lanes)).rows, int(head.Lanes))
		return err
	})
}

// adopt takes a file over: what it holds is older than what is in memory.
func (s *Store) adopt(f *file, h held) {
	f.db.NoSync = s.config.noSync
	s.file = f
	s.seq = max(s.seq, h.seq)
	for check, data := range h.memos {
		if _, later := s.pending.memos[check]; !later {
			s.memos[check] = data
		}
	}
	for name, head := range h.heads {
		s.adoptQueue(name, head, h.oldest[name])
	}
}

// adoptQueue puts the rows of a file before those that were decided while it could not be opened.
func (s *Store) adoptQueue(name string, head info, oldest int64) {
	q := s.queues[name]
	if q == nil {
		q = &Queue{store: s, name: name, info: head, limits: Limits{Window: 1}}
		q.setLanes(int(max(1, head.Lanes)))
		s.queues[name] = q
	} else {
		c, h := &q.info.Counts, head.Counts
		c.Accepted, c.Delivered, c.Dead = c.Accepted+h.Accepted, c.Delivered+h.Delivered, c.Dead+h.Dead
		c.Merged, c.Lost, c.Purged = c.Merged+h.Merged, c.Lost+h.Lost, c.Purged+h.Purged
		q.info.Bytes += head.Bytes
		q.info.DeadHeld = head.DeadHeld
		s.pending.touch(q)
	}
	q.since = oldest
	q.startOver()
	q.astray = s.file.strays(q)
	s.gather(q)
}

// replace gives up a damaged file for a new one, which is to hold all that memory knows.
func (s *Store) replace() {
	if err := putAside(s.file.path, "corrupt"); err != nil {
		s.log.Error("the damaged state file cannot be put aside", zap.Error(err))
		return
	}
	s.noteReplaced("it was damaged")
	s.file = nil // not closed: a damaged file may hold bbolt's locks for ever
	s.unreadable = false
	lost := 0
	for check, data := range s.memos {
		s.pending.memos[check] = data
	}
	s.pending.removed = nil
	for _, q := range s.queues {
		lost += q.onlyMemory()
		s.pending.touch(q)
	}
	if lost > 0 {
		s.log.Error("notifications that only the damaged file held are not delivered; it is kept", zap.Int("events", lost))
	}
}

// onlyMemory has a queue go on with the rows that memory holds, and returns how many it does not. All
// rows of memory are in the lanes by now.
func (q *Queue) onlyMemory() (lost int) {
	q.epoch++
	q.hidden = nil
	q.info.DeadHeld, q.info.Bytes = 0, 0
	kept := 0
	for i := range q.lanes {
		l := &q.lanes[i]
		l.rows, l.tail, l.more, l.last, l.top = append(l.rows, l.tail...), nil, false, 0, 0
		for _, row := range l.rows {
			if row.onDisk {
				row.onDisk = false
				q.store.pending.rows = append(q.store.pending.rows, row)
			}
			q.info.Bytes += row.size()
		}
		kept += len(l.rows)
		l.signal()
	}
	lost = q.info.Counts.queued() - kept
	q.info.Counts.Lost += uint64(lost)
	return lost
}

// noteReplaced remembers for Replaced that a file was put aside.
func (s *Store) noteReplaced(why string) { s.replaced = &Trouble{Text: why, Since: time.Now()} }

// Replaced returns why and when a file was last put aside and a new one begun, nil where none was.
func (s *Store) Replaced() *Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replaced
}

// explain says what is wrong and, where we know, what to do.
func explain(err error) string {
	switch {
	case is(err, syscall.ENOSPC), is(err, syscall.EDQUOT):
		return "the disk is full: make room (" + err.Error() + ")"
	case is(err, syscall.EFBIG):
		return "the file may not grow: raise the limit on its size, ulimit -f (" + err.Error() + ")"
	case is(err, syscall.EROFS):
		return "the file system is read-only: mount it writable, or set [global] state_dir (" + err.Error() + ")"
	case errors.Is(err, fs.ErrPermission):
		return "no permission: let catpaw's user write there, or set [global] state_dir (" + err.Error() + ")"
	case is(err, syscall.ENOTDIR), is(err, syscall.EEXIST):
		return "a file stands where the directory should be: move it, or set [global] state_dir (" + err.Error() + ")"
	case is(err, syscall.EIO):
		return "the disk fails: look at the kernel's log (" + err.Error() + ")"
	case errors.Is(err, ErrInUse):
		return "another catpaw has the state file: stop it, or give each its own [global] state_dir"
	}
	return strings.ReplaceAll(fmt.Sprint(err), "\n", " ")
}

// is knows an error also where bbolt passes it on as text.
func is(err error, number syscall.Errno) bool {
	return errors.Is(err, number) || strings.Contains(err.Error(), number.Error())
}
