package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"catpaw/pipeline"
)

// throttle is the quota of the cluster. A broker that finds us over it takes what we sent, says how long
// it will not listen, and we have to keep quiet for that long (KIP-219): a request into its silence would
// be taken for one that got no answer, and sent twice. The zero value is ready, and safe for concurrent
// use.
type throttle struct {
	mu    sync.Mutex
	until time.Time
}

// note keeps what an answer said.
func (t *throttle) note(silence time.Duration) {
	const most = time.Minute // no quota is silent for longer; a broker that says so is out of order
	if silence = min(silence, most); silence <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(silence); until.After(t.until) {
		t.until = until
	}
}

// wait returns nil when the cluster listens. Where that would take more than half of the time left it
// returns at once, with a verdict that says how long to wait.
func (t *throttle) wait(ctx context.Context) error {
	t.mu.Lock()
	left := time.Until(t.until)
	t.mu.Unlock()
	if left <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && left > time.Until(deadline)/2 {
		return pipeline.RetryAfter(errors.New("we are over the quota that the cluster has for us: the event waits"), left)
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errors.New("broken off while waiting for the quota of the cluster")
	}
}
