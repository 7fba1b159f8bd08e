package api

import (
	"encoding/json"
	"time"

	"catpaw/pipeline"
	"catpaw/store"
)

// QueueStatus is one queue and how its output is doing.
type QueueStatus struct {
	store.QueueInfo
	pipeline.Health
}

// Age is how long ago the oldest event of a queue was decided, 0 where there is none.
func (q QueueStatus) Age(now time.Time) time.Duration {
	if q.Oldest == 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(q.Oldest, 0)))
}

// QueuedEvent is one event in a queue, or a dead letter with the reason.
type QueuedEvent struct {
	Seq     uint64          `json:"seq"`
	Refused int64           `json:"refused_at,omitempty"` // unix seconds
	Reason  string          `json:"reason,omitempty"`
	Event   json.RawMessage `json:"event"`
}
