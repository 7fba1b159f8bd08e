package post

import (
	"context"
	"errors"
	"sync"
	"time"

	"catpaw/pipeline"
)

// Limiter keeps to limits of so many requests in any span of so long. A token bucket would not: full
// at the start, it lets nearly twice the limit through in the first span.
type Limiter struct {
	mu      sync.Mutex
	windows []window
}

// window remembers when the last len(sent) requests went out.
type window struct {
	per  time.Duration
	sent []time.Time // a ring; next is the oldest
	next int
}

// Allow adds a limit of n requests in any span of that length. Call it before the first Wait.
func (l *Limiter) Allow(n int, per time.Duration) *Limiter {
	l.windows = append(l.windows, window{per: per, sent: make([]time.Time, n)})
	return l
}

// take counts a request that may go out now, or returns how long it must wait and counts nothing.
func (l *Limiter) take(now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.windows {
		w := &l.windows[i]
		if oldest := w.sent[w.next]; !oldest.IsZero() {
			wait = max(wait, oldest.Add(w.per).Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for i := range l.windows {
		w := &l.windows[i]
		w.sent[w.next] = now
		w.next = (w.next + 1) % len(w.sent)
	}
	return 0
}

// Wait returns nil when the next request may go out. Where that would take more than half of the time
// left, and so spoil the request itself, it returns at once, with a verdict that says how long to
// wait. A nil Limiter has no limits.
func (l *Limiter) Wait(ctx context.Context) error {
	for l != nil {
		now := time.Now()
		wait := l.take(now)
		if wait <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && wait > deadline.Sub(now)/2 {
			return pipeline.Paced(wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.New("broken off while waiting for the rate limit")
		}
	}
	return nil
}
