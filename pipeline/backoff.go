package pipeline

import (
	"math/rand/v2"
	"time"
)

const (
	backoffBase = 500 * time.Millisecond
	backoffCap  = 60 * time.Second
)

// backoff is exponential with full jitter: the wait before try n is anywhere up to base × 2ⁿ, capped,
// so that many senders do not knock at a recovering sink in step. (Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015.)
func backoff(failures int, random func(n int64) int64) time.Duration {
	limit := backoffCap
	if failures < 8 { // 0.5 s × 2⁷ is beyond the cap
		limit = min(limit, backoffBase<<failures)
	}
	return time.Duration(random(int64(limit))) + time.Millisecond
}

func jitter(n int64) int64 { return rand.Int64N(n) }
