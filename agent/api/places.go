package api

import (
	"net/http"
	"time"
)

// mostAtOnce is how many requests are answered at a time over TCP; others wait. A status of 10,000 checks takes
// megabytes.
const mostAtOnce = 8

// mostWait is how long one waits to be answered.
const mostWait = 10 * time.Second

// places are how many may do a thing at a time; nil: as many as like.
type places chan struct{}

// take waits for a place. It returns false, and has answered, when who asks has waited too long or gone.
func (p places) take(w http.ResponseWriter, r *http.Request) bool {
	if p == nil {
		return true
	}
	timer := time.NewTimer(mostWait)
	defer timer.Stop()
	select {
	case p <- struct{}{}:
		return true
	case <-timer.C:
		http.Error(w, "too many ask at the same time: try again", http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
	return false
}

func (p places) leave() {
	if p != nil {
		<-p
	}
}

// in has next called in one of the places.
func (p places) in(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.take(w, r) {
			defer p.leave()
			next.ServeHTTP(w, r)
		}
	})
}
