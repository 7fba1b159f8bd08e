package alerting

import (
	"time"

	"catpaw/pipeline"
)

// Muter says by what an alert with these labels is kept from being told now, "" where by nothing. Muted, an
// alert lives on; but nothing of it is told except the end of what was told before. What still fires when
// nothing mutes it any more is told then.
type Muter func(key string, labels pipeline.Labels, now time.Time) (by string)

// MuteWith adds a muter. onFiring (or nil) hears of every alert that begins or ceases to fire. Both are called in
// the processing goroutine.
func (p *Processor) MuteWith(muter Muter, onFiring func(key string, labels pipeline.Labels, firing bool)) {
	p.muters = append(p.muters, muter)
	if onFiring != nil {
		before := p.onFiring
		p.onFiring = func(key string, labels pipeline.Labels, firing bool) {
			before(key, labels, firing)
			onFiring(key, labels, firing)
		}
	}
}

// mute notes by what a result is muted, and keeps it: it may be told later.
func (p *Processor) mute(e *entry, event *pipeline.Event, now time.Time) bool {
	e.muted, e.held = "", nil
	if !event.Status.IsBad() {
		return false
	}
	if e.muted = p.mutedBy(e, now); e.muted != "" {
		e.held = event
	}
	return e.muted != ""
}

func (p *Processor) mutedBy(e *entry, now time.Time) string {
	for _, muter := range p.muters {
		if by := muter(e.key, e.Labels, now); by != "" {
			return by
		}
	}
	return ""
}

// firing keeps the books of what fires, and of what of it is muted, after a step from previous.
func (p *Processor) firing(e *entry, previous Alert) {
	if fires := e.Phase == Firing; fires != (previous.Phase == Firing) {
		p.onFiring(e.key, e.Labels, fires)
	}
	if e.Phase == Firing && e.muted != "" {
		p.muted[e] = true
	} else {
		delete(p.muted, e)
	}
}

// Unmute tells of what fires and is muted no longer. It is to be called from time to time.
func (p *Processor) Unmute(b *pipeline.Batch) {
	for e := range p.muted {
		held := e.held
		if by := p.mutedBy(e, b.Now); by != "" {
			e.muted = by
			continue
		}
		if e.muted, e.held = "", nil; held == nil || e.check == nil {
			continue
		}
		event := *held
		p.step(b, e, Observation{Status: event.Status, Time: event.Time, Now: b.Now}, e.policy(), &event)
	}
}

// FiringLabels calls do for every alert that fires.
func (p *Processor) FiringLabels(do func(key string, labels pipeline.Labels)) {
	for key, e := range p.alerts {
		if e.Phase == Firing {
			do(key, e.Labels)
		}
	}
}
