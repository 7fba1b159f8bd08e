package pipeline

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// story tells the log of a repeated failure once, then when it changes, then when it is over for all
// of a sender's workers: one event that a sink does not want must not fill the log beside a thousand
// that it takes. The zero value is ready; it is safe for concurrent use.
type story struct {
	mu      sync.Mutex
	failing map[int]string // error by shard
	since   time.Time
	tries   int
}

// failed notes a failed try of a shard.
func (s *story) failed(log *zap.Logger, shard int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failing) == 0 {
		s.failing, s.since, s.tries = map[int]string{}, time.Now(), 0
	}
	s.tries++
	text, known := err.Error(), false
	for _, other := range s.failing {
		known = known || other == text
	}
	s.failing[shard] = text
	if !known {
		log.Warn("cannot deliver; the events wait and are tried again", zap.Error(err), zap.Int("tries", s.tries))
	}
}

// worked notes that a shard has delivered.
func (s *story) worked(log *zap.Logger, shard int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.failing[shard]; !ok {
		return
	}
	delete(s.failing, shard)
	if len(s.failing) == 0 {
		log.Info("delivers again", zap.Int("failed_tries", s.tries), zap.Duration("after", time.Since(s.since).Round(time.Millisecond)))
	}
}
