package pipeline

import (
	"context"
	"sync"
)

// token is held by one goroutine at a time. Who waits for it does not take it, and may wait for something else, too; that
// is why it is no mutex. The zero value is held by nobody.
type token struct {
	mu   sync.Mutex
	held chan struct{} // closed at the release, nil while nobody holds it
}

// try takes it, if nobody holds it.
func (t *token) try() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held != nil {
		return false
	}
	t.held = make(chan struct{})
	return true
}

func (t *token) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.held)
	t.held = nil
}

// await waits until who holds it now releases it, or ctx ends.
func (t *token) await(ctx context.Context) {
	t.mu.Lock()
	held := t.held
	t.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
}
