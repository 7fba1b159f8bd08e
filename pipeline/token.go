package pipeline

import "context"

// token is held by one goroutine at a time. Unlike a mutex it can be waited for until something else happens.
type token chan struct{}

func newToken() token { return make(token, 1) }

// try takes it, if nobody holds it.
func (t token) try() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t token) release() { <-t }

// await waits until nobody holds it, or ctx ends.
func (t token) await(ctx context.Context) {
	select {
	case t <- struct{}{}:
		t.release()
	case <-ctx.Done():
	}
}
