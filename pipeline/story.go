package pipeline

import (
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"catpaw/internal/redact"
)

// story is how an output is doing. It tells the log of a repeated failure once, then when it changes,
// then when it is over for all of a sender's workers: one event that a sink does not want must not fill
// the log beside a thousand that it takes. But an output that takes none is failing, whether its sink says "later" or
// "never", and only a delivery ends that, or that nothing is left of what it did not take. The zero value is ready; it is safe for concurrent use.
type story struct {
	mu        sync.Mutex
	failing   map[int]string    // error by lane
	next      map[int]time.Time // next try by lane
	since     time.Time         // from when it fails; zero while it does not
	heard     bool              // something was delivered since then, by a lane that does not fail
	tries     int               // that failed since then
	lastError string
	lastFail  time.Time
	told      int // failures told to the log since toldFrom
	toldFrom  time.Time
	lastGood  time.Time

	refused      int       // events that the sink will never take, since the last delivery
	firstRefused time.Time // of these

	refusal     string // the last that was told
	refusalTold time.Time
	refusals    int // since then
}

// Health is how an output is doing.
type Health struct {
	LastSuccess time.Time `json:"last_success,omitzero"`
	FailsSince  time.Time `json:"fails_since,omitzero"`       // zero where the sink takes events
	Refuses     bool      `json:"refuses,omitempty"`          // so it fails: what it gets it refuses for good
	RefusedRow  int       `json:"refused_in_a_row,omitempty"` // events refused for good since the last delivery: it may have failed before these
	LastError   string    `json:"last_error,omitempty"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	NextTry     time.Time `json:"next_try,omitzero"` // zero where nothing waits for one
}

// Refused says in words how much the sink refused since it took something last.
func (h Health) Refused() string {
	if h.RefusedRow == 1 {
		return "the last event"
	}
	return fmt.Sprintf("the last %d events", h.RefusedRow)
}

func (s *story) health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := Health{LastSuccess: s.lastGood, LastError: redact.Logins(s.lastError), LastFailure: s.lastFail}
	h.FailsSince, h.Refuses = s.since, !s.since.IsZero() && len(s.failing) == 0
	if h.Refuses {
		h.RefusedRow = s.refused
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
	if s.since.IsZero() {
		s.fails(time.Now())
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

// fails notes that from then on nothing was delivered.
func (s *story) fails(since time.Time) {
	s.failing, s.next, s.since, s.heard, s.tries = map[int]string{}, map[int]time.Time{}, since, false, 0
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

// refuses tells of an event that the sink will never take: at once where the reason is new, then from
// time to time.
func (s *story) refuses(log *zap.Logger, key string, err error) {
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

// countRefused judges by what was refused, and nothing taken beside it, whether it is the sink. One event may be at fault
// itself; two in a row, or the first of all, are not.
func (s *story) countRefused(n int) {
	if s.refused == 0 {
		s.firstRefused = time.Now()
	}
	s.refused += n
	if s.since.IsZero() && s.refusesAll() {
		s.fails(s.firstRefused)
	}
}

func (s *story) refusesAll() bool { return s.refused > 1 || s.refused == 1 && s.lastGood.IsZero() }

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
	s.conclude(log, "what could not be delivered is gone from the queue")
}

// forgiven notes that nothing waits and no dead letter is left: somebody has seen to what the sink did not take, so
// that nothing that may yet be told is kept from it.
func (s *story) forgiven(log *zap.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = 0
	if s.conclude(log, "what the sink refused is gone"); s.since.IsZero() {
		s.lastError, s.lastFail = "", time.Time{}
	}
}

// judged notes that the sink has judged events of a lane, all or a part of what was tried: how many it took, and how
// many it refused.
func (s *story) judged(log *zap.Logger, lane int, all bool, delivered, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delivered > 0 {
		s.lastGood, s.heard, s.refused = time.Now(), true, 0
	} else if refused > 0 {
		s.countRefused(refused)
	}
	if all {
		delete(s.failing, lane)
		delete(s.next, lane)
	}
	if s.heard {
		s.conclude(log, "the sink takes events again")
	}
}

// conclude ends the failure when no lane fails, unless all that came since the last delivery was refused.
func (s *story) conclude(log *zap.Logger, why string) {
	switch {
	case s.since.IsZero() || len(s.failing) > 0:
	case s.heard && s.refusesAll(): // it took events while one lane failed, and then no more
		s.fails(s.firstRefused)
	case s.heard || s.refused == 0:
		log.Info(why, zap.Int("failed_tries", s.tries), zap.Duration("after", time.Since(s.since).Round(time.Millisecond)))
		s.since = time.Time{}
	}
}
