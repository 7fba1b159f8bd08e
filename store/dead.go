package store

import "go.etcd.io/bbolt"

// Refused returns of each of these keys the newest dead letter of a queue. It does not wait for the writer: who asks
// wants to know now, also while the disk hangs.
func (s *Store) Refused(name string, keys map[string]bool) (newest map[string]*Dead, err error) {
	newest = map[string]*Dead{}
	note := func(letter *Dead) {
		if old := newest[letter.Row.Key]; keys[letter.Row.Key] && (old == nil || old.Row.Seq < letter.Row.Seq) {
			newest[letter.Row.Key] = letter
		}
	}
	s.mu.Lock()
	q, f := s.queues[name], s.file
	if q == nil {
		s.mu.Unlock()
		return nil, nil
	}
	for _, c := range []*changes{s.inflight, s.pending} {
		for _, letter := range c.deadOf(q) {
			note(letter)
		}
	}
	held, lanes := q.info.DeadHeld > 0, len(q.lanes)
	s.mu.Unlock()
	if f == nil || !held {
		return newest, nil
	}
	err = f.read(func(tx *bbolt.Tx) error {
		b := findQueue(tx, name, lanes)
		if b.dead == nil {
			return nil
		}
		return b.dead.ForEach(func(key, value []byte) error {
			note(parseDead(key, value))
			return nil
		})
	})
	return newest, err
}

// deadOf are the dead letters of a queue that are not in the file yet.
func (c *changes) deadOf(q *Queue) (letters []*Dead) {
	if c == nil {
		return nil
	}
	for _, letter := range c.dead {
		if letter.queue == q {
			letters = append(letters, letter.dead)
		}
	}
	return letters
}
