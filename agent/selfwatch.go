package agent

import (
	"encoding/json"
	"slices"
	"time"

	"catpaw/internal/markdown"
	"catpaw/pipeline"
	"catpaw/store"
)

// outputPatience is for how long an output may fail before catpaw tells so, through all outputs.
const outputPatience = 5 * time.Minute

// outputEvent tells of an output that delivers nothing for long. While it has not failed for long, or since a start has
// delivered nothing of what is left, nothing is known: an alert from before goes on.
func outputEvent(q store.QueueInfo, h pipeline.Health, now time.Time) pipeline.Event {
	event := pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "catpaw output", "target", q.Name)}
	var text markdown.Builder
	text.Item("output", "%s", q.Name)
	left := q.Queued+q.Held > 0 // of what it was to deliver
	switch since := failsSince(q, h); {
	case since.IsZero() && h.LastSuccess.IsZero() && left, !since.IsZero() && now.Sub(since) < outputPatience:
		event.Status = pipeline.Unknown
	case since.IsZero():
	case h.Refuses:
		event.Status = pipeline.Bad
		text.Item("expected", "events are delivered")
		text.Item("seen", "nothing was delivered since %s, and the sink refused %s for good: %s", since.Format(time.DateTime+" MST"), h.Refused(), h.LastError)
		text.Item("meanwhile", "what it refuses is not tried again; the last 1,000 of it are kept as dead letters")
		if q.Held > 0 {
			text.Item("look further", "`catpaw queue cat '%s' --dead` shows them; mend the output, then `catpaw queue redrive '%s'` sends them", q.Name, q.Name)
		}
	default:
		event.Status = pipeline.Bad
		text.Item("expected", "events are delivered")
		text.Item("seen", "it fails since %s: %s", since.Format(time.DateTime+" MST"), h.LastError)
		text.Item("meanwhile", "its events wait in the queue and are tried again")
		text.Item("look further", "`catpaw queue`, and `catpaw send --output '%s'`", q.Name)
	}
	event.Description = text.String()
	return event
}

// failsSince is from when an output fails, zero where it does not. Of one that has delivered nothing since the agent
// started, the oldest event that waits knows: else an agent that is restarted again and again would never tell.
func failsSince(q store.QueueInfo, h pipeline.Health) time.Time {
	if oldest := time.Unix(q.Oldest, 0); !h.FailsSince.IsZero() && h.LastSuccess.IsZero() && q.Oldest > 0 && oldest.Before(h.FailsSince) {
		return oldest
	}
	return h.FailsSince
}

// late is a check that skips ticks.
type late struct {
	seen    int // skipped ticks, as of the last look
	skipped int // since it was in time last
	last    time.Time
}

const (
	// mostSkips is how many ticks a check may skip, each not long after the other, before catpaw tells so.
	mostSkips = 3
	// inTime is after how long without a skip a check is in time again, or ten intervals, whichever is longer.
	inTime = 5 * time.Minute
)

// recallLate takes over which checks were late when the agent stopped.
func (s *self) recallLate(data []byte, now time.Time) {
	var ids []string
	_ = json.Unmarshal(data, &ids) // what cannot be read is seen anew
	for _, id := range ids {
		s.late[id] = &late{skipped: mostSkips, last: now}
	}
}

// lateOnes are the checks that are told to be late, in order.
func (s *self) lateOnes() []byte {
	ids := []string{}
	for id, l := range s.late {
		if l.skipped >= mostSkips {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	data, err := json.Marshal(ids)
	if err != nil {
		panic(err) // they are texts
	}
	return data
}

// lateness tells of checks that take longer than their interval, and of those that do no more.
func (s *self) lateness(now time.Time) (events []pipeline.Event) {
	for _, check := range s.running.Checks() {
		l := s.late[check.ID]
		if l == nil {
			if check.Skipped == 0 {
				continue // as nearly always
			}
			l = &late{}
			s.late[check.ID] = l
		}
		was := l.skipped >= mostSkips
		pause := max(inTime, time.Duration(10*check.Interval*float64(time.Second)))
		if check.Skipped < l.seen || now.Sub(l.last) > pause { // a reload made it new, or it is in time
			*l = late{seen: min(check.Skipped, l.seen)}
		}
		if check.Skipped > l.seen {
			l.skipped += check.Skipped - l.seen
			l.seen, l.last = check.Skipped, now
		}
		if was || l.skipped >= mostSkips {
			events = append(events, lateEvent(check, l))
		}
	}
	return events
}

func lateEvent(check pipeline.CheckHealth, l *late) pipeline.Event {
	event := pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "catpaw check skips ticks", "instance", check.ID)}
	var text markdown.Builder
	interval := time.Duration(check.Interval * float64(time.Second))
	took := time.Duration(check.Took * float64(time.Second)).Round(time.Millisecond)
	text.Item("check", "%s at %s", check.ID, check.Source).Item("interval", "%s", interval).Item("last run", "took %s", took)
	if l.skipped >= mostSkips {
		event.Status = pipeline.Warning
		text.Item("seen", "it takes longer than its interval: %d ticks were skipped, and nobody looked then", l.skipped)
		text.Item("look further", "`catpaw status`; give it a longer interval, a shorter timeout or less to look at")
	}
	event.Description = text.String()
	return event
}
