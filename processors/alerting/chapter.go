package alerting

import (
	"time"

	"catpaw/pipeline"
)

// note is why a step told nothing.
type note uint8

const (
	noNote   note = iota
	ripening      // bad, not yet for as long or as often as the policy asks
	blip          // good before it fired
	notDue        // a repeat is not due yet
	usedUp        // repeat_number was reached
	muted         // silenced or inhibited
	acked         // acknowledged by a person
	healing       // good, not yet as often as recover_checks and flapping ask
	quietEnd      // over, and nobody is to be told
	noView        // nobody could judge
	settled       // over for long enough
	unwanted      // no output is to hear of it
)

// chapter is a stretch of results that were judged alike. Times are unix seconds; 32 bits, since every
// live alert has some of them.
type chapter struct {
	from, to uint32
	n        uint32
	status   pipeline.Status
	decision Decision
	note     note
	cause    cause
	by       *string // what muted it, or which outputs left it out, and why; nil where nothing did; shared by many
}

// mostChapters is how many an alert keeps, the last ones.
const mostChapters = 16

// chronicle adds a result to the story of an alert.
func (e *entry) chronicle(c chapter) {
	if last := len(e.story) - 1; last >= 0 {
		if l := &e.story[last]; l.status == c.status && l.decision == c.decision && l.note == c.note && l.cause == c.cause && sameText(l.by, c.by) && c.decision == Silent {
			l.to = c.to
			l.n++
			return
		}
	}
	c.n = 1
	if len(e.story) == mostChapters {
		copy(e.story, e.story[1:])
		e.story[mostChapters-1] = c
		return
	}
	e.story = append(e.story, c)
}

// before says why the story of an alert does not begin with it, where nothing of it was left out since.
func (p *Processor) before(e *entry, now time.Time) string {
	if !e.restored || len(e.story) == mostChapters {
		return ""
	}
	return "the agent started at " + clock(p.began, now) + "; what was before is not known"
}

func sameText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// chapterOf says what a step did and why.
func chapterOf(o Observation, previous, next Alert, d Decision, p pipeline.Policy) chapter {
	at := uint32(o.Now.Unix())
	c := chapter{from: at, to: at, status: o.Status, decision: d, cause: o.Cause}
	if d == Silent {
		c.note = whySilent(o, previous, next, p)
	}
	return c
}

func whySilent(o Observation, previous, next Alert, p pipeline.Policy) note {
	switch {
	case o.Status == pipeline.Unknown:
		return noView
	case o.Status == pipeline.Ok:
		switch {
		case previous.Phase == Pending:
			return blip
		case next.Phase == Firing:
			return healing
		case previous.Phase == Firing:
			return quietEnd
		}
		return settled
	case next.Phase == Pending:
		return ripening
	case o.Muted:
		return muted
	case next.Acked:
		return acked
	case p.RepeatNumber > 0 && int(next.Sent) >= p.RepeatNumber:
		return usedUp
	}
	return notDue
}

// mostEnded is of how many alerts that are no more the story is kept, the last ones, so that one can ask
// why nothing was told.
const mostEnded = 500

// past holds them.
type past struct {
	byKey map[string]*entry
	order []string // keys, oldest first
}

func (p *past) add(e *entry) {
	if p.byKey == nil {
		p.byKey = map[string]*entry{}
	}
	if p.byKey[e.key] == nil {
		if len(p.order) == mostEnded {
			delete(p.byKey, p.order[0])
			p.order = p.order[1:]
		}
		p.order = append(p.order, e.key)
	}
	p.byKey[e.key] = e
}
