package pipeline

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"catpaw/internal/redact"
)

// story is how an output is doing. It tells the log of a repeated failure once, then when it changes,
// then when it is over for all of a sender's workers: one event that a sink does not want must not fill
// the log beside a thousand that it takes. The zero value is ready; it is safe for concurrent use.
type story struct {
	mu        sync.Mutex
	failing   map[int]string    // error by lane
	next      map[int]time.Time // next try by lane
	since     time.Time
	tries     int
	lastError string
	lastFail  time.Time
	told      int // failures told to the log since toldFrom
	toldFrom  time.Time
	lastGood  time.Time

	refusal     string // the last that was told
	refusalTold time.Time
	refusals    int // since then
}

// Health is how an output is doing.
type Health struct {
	LastSuccess time.Time `json:"last_success,omitzero"`
	FailsSince  time.Time `json:"fails_since,omitzero"` // zero where the sink answers
	LastError   string    `json:"last_error,omitempty"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	NextTry     time.Time `json:"next_try,omitzero"` // zero where nothing waits for one
}

func (s *story) health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := Health{LastSuccess: s.lastGood, LastError: redact.Logins(s.lastError), LastFailure: s.lastFail}
	if len(s.failing) > 0 {
		h.FailsSince = s.since
	}
	for _, next := range s.next {
		if h.NextTry.IsZero() || next.Before(h.NextTry) {
			h.NextTry = next
		}
	}
	return h
}

// failed notes a failed try of a lane.
func (s *story) failed(log *zap.Logger, lane int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failing) == 0 {
		s.failing, s.next, s.since, s.tries = map[int]string{}, map[int]time.Time{}, time.Now(), 0
	}
	s.tries++
	text, known := err.Error(), false
	for _, other := range s.failing {
		known = known || other == text
	}
	s.failing[lane], s.lastError, s.lastFail = text, text, time.Now()
	if !known && s.mayTell(time.Now()) {
		log.Warn("cannot deliver; the events wait and are tried again", zap.Error(err), zap.Int("tries", s.tries))
	}
}

// mayTell bounds what the log gets of a sink whose errors differ at every try.
func (s *story) mayTell(now time.Time) bool {
	const most, per = 5, time.Minute
	if now.Sub(s.toldFrom) >= per {
		s.toldFrom, s.told = now, 0
	}
	s.told++
	return s.told <= most
}

// refused tells of an event that the sink will never take: at once where the reason is new, then from
// time to time.
func (s *story) refused(log *zap.Logger, key string, err error) {
	const pause = 5 * time.Minute
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals++
	s.lastError, s.lastFail = err.Error(), time.Now()
	if err.Error() == s.refusal && time.Since(s.refusalTold) < pause {
		return
	}
	log.Error("the sink refused an event for good; it is kept as a dead letter",
		zap.String("alert_key", key), zap.Int("events", s.refusals), zap.Error(err))
	s.refusal, s.refusalTold, s.refusals = err.Error(), time.Now(), 0
}

// pausing notes when a lane tries again.
func (s *story) pausing(lane int, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		s.next[lane] = until
	}
}

// emptied notes that a lane has nothing left to deliver: what failed was purged, or told with another event.
func (s *story) emptied(log *zap.Logger, lane int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.failing[lane]; !ok {
		return
	}
	delete(s.failing, lane)
	delete(s.next, lane)
	if len(s.failing) == 0 {
		log.Info("what could not be delivered is gone from the queue", zap.Int("failed_tries", s.tries))
	}
}

// worked notes that the sink has judged events of a lane, all or a part of what was tried; delivered says
// that it took some.
func (s *story) worked(log *zap.Logger, lane int, all, delivered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delivered {
		s.lastGood = time.Now()
	}
	if _, ok := s.failing[lane]; !ok || !all {
		return
	}
	delete(s.failing, lane)
	delete(s.next, lane)
	if len(s.failing) == 0 {
		log.Info("the sink answers again", zap.Int("failed_tries", s.tries), zap.Duration("after", time.Since(s.since).Round(time.Millisecond)))
	}
}
