package agent

import (
	"bytes"
	"context"
	"time"

	"catpaw/internal/markdown"
	"catpaw/pipeline"
	"catpaw/store"
)

// self is the check that catpaw makes of itself: whether what it promises to keep is on disk, whether it had
// to give events up, and what selfwatch.go watches. Its alerts go the way of all others.
type self struct {
	store   *store.Store
	running running
	vitals  *vitals
	dir     string
	lost    map[string]losses // by queue, as of the last look
	late    map[string]*late  // by check ID; nil before the first look
	clock   clockWatch
}

// losses are the events that a queue gave up.
type losses struct {
	seen uint64 // in all
	news uint64 // those that are told
	at   time.Time
}

// running is what there is to watch of the pipeline.
type running interface {
	Health() map[string]pipeline.Health
	Checks() []pipeline.CheckHealth
}

// selfInterval is how often catpaw looks at itself.
const selfInterval = 10 * time.Second

// newsOf is for how long a state file that was put aside, or events that were given up, are told.
const newsOf = 15 * time.Minute

// selfCheck makes the check, with the labels of every other.
func selfCheck(s *store.Store, r running, v *vitals, c *Configuration) *pipeline.Check {
	labels := mergeLabels("catpaw", c.Labels)
	policy := pipeline.DefaultPolicy()
	policy.DefaultSeverity = pipeline.Severity(pipeline.Critical)
	policy.RepeatInterval = 0
	policy.RepeatNumber = 1
	return &pipeline.Check{
		ID: "catpaw/self", Content: digest(labels.String(), c.StateDir), Plugin: "catpaw", Source: "catpaw itself",
		Interval: selfInterval, Policy: policy, Labels: labels,
		Input: &self{store: s, running: r, vitals: v, dir: c.StateDir, lost: map[string]losses{}, clock: clockWatch{read: readClocks}},
	}
}

// Init has nothing to judge.
func (s *self) Init() error { return nil }

// Gather looks at the store.
func (s *self) Gather(_ context.Context, r *pipeline.Report) error {
	note(&s.vitals.ran)
	now, kept := time.Now(), r.Recall()
	if s.late == nil {
		s.late = map[string]*late{}
		s.recallLate(kept, now)
	}
	r.Add(stateEvent(s.dir, s.store.Trouble(), s.store.Recurring(), s.store.Replaced(), now))
	outputs := s.running.Health()
	for _, queue := range s.store.Queues() {
		r.Add(s.queue(queue, now))
		if health, runs := outputs[queue.Name]; runs {
			r.Add(outputEvent(queue, health, now))
		}
	}
	for _, event := range s.lateness(now) {
		r.Add(event)
	}
	if late := s.lateOnes(); !bytes.Equal(late, kept) {
		r.Remember(late)
	}
	r.Add(s.clock.look(now))
	return nil
}

// stateEvent tells whether what must outlive the process is on disk. What comes and goes is told until it stays away:
// it may last for moments only, between two looks.
func stateEvent(dir string, trouble, recurring, replaced *store.Trouble, now time.Time) pipeline.Event {
	event := pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "catpaw state", "target", dir)}
	var text markdown.Builder
	text.Item("directory", "%s", dir)
	switch {
	case recurring != nil:
		event.Status = pipeline.Bad
		text.Item("expected", "alerts and queues on disk")
		text.Item("seen", "again and again, %d times since %s: %s", recurring.Times, recurring.Since.Format(time.DateTime+" MST"), recurring.Text)
		text.Item("meanwhile", "what could not be written is written the next time; a crash before would lose what is not delivered")
	case trouble != nil:
		event.Status = pipeline.Bad
		text.Item("expected", "alerts and queues on disk")
		text.Item("seen", "%s", trouble.Text).Item("since", "%s", trouble.Since.Format(time.DateTime+" MST"))
		text.Item("meanwhile", "checks and outputs go on from memory; a crash now would lose what is not delivered")
	case replaced != nil && now.Sub(replaced.Since) < newsOf:
		event.Status = pipeline.Bad
		text.Item("seen", "the state file could not be used (%s) and was put aside at %s; a new one was begun",
			replaced.Text, replaced.Since.Format(time.DateTime+" MST"))
		text.Item("look further", "`ls -l %s`; queued events and open alerts of before are in the old file only", dir)
	default:
		text.Item("state", "alerts and queues are on disk")
	}
	event.Description = text.String()
	return event
}

// queue tells of a queue that gave events up since the last look.
func (s *self) queue(q store.QueueInfo, now time.Time) pipeline.Event {
	l, known := s.lost[q.Name]
	if known && q.Counts.Lost > l.seen {
		if now.Sub(l.at) >= newsOf {
			l.news = 0
		}
		l.news, l.at = l.news+q.Counts.Lost-l.seen, now
	}
	l.seen = q.Counts.Lost
	s.lost[q.Name] = l
	event := pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "catpaw queue", "target", q.Name)}
	var text markdown.Builder
	text.Item("output", "%s", q.Name).Item("queued", "%d events", q.Queued)
	if q.Counts.Lost > 0 {
		text.Item("lost", "%d events in all", q.Counts.Lost)
	}
	if l.news > 0 && now.Sub(l.at) < newsOf {
		event.Status = pipeline.Bad
		text.Item("seen", "%d events were given up: the queue is full even with one event of each alert, or they were damaged on disk", l.news)
		text.Item("look further", "catpaw's log, and `catpaw queue`; mend the output, or raise queue.max_events")
	}
	event.Description = text.String()
	event.Attrs = []pipeline.Attr{{Key: "queued_events", Value: int64(q.Queued)}, {Key: "queued_bytes", Value: q.Bytes}}
	return event
}
