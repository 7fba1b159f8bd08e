package pipeline

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// story tells the log of a repeated failure once, then when it changes, then when it is over.
type story struct {
	mu    sync.Mutex
	error string
	since time.Time
	tries int
}

func (s *story) failed(log *zap.Logger, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tries == 0 {
		s.since = time.Now()
	}
	s.tries++
	if text := err.Error(); text != s.error {
		s.error = text
		log.Warn("cannot deliver; the events wait and are tried again", zap.Error(err), zap.Int("tries", s.tries))
	}
}

func (s *story) worked(log *zap.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tries > 0 {
		log.Info("delivers again", zap.Int("failed_tries", s.tries), zap.Duration("after", time.Since(s.since).Round(time.Millisecond)))
	}
	s.tries, s.error = 0, ""
}
