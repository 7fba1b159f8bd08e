package alerting

import (
	"time"

	"catpaw/pipeline"
)

// Muter keeps alerts from being told. Muted, an alert lives on; but nothing of it is told except the end of what was
// told before. What still fires when nothing mutes it any more is told then. All of it is called in the processing
// goroutine.
type Muter struct {
	// By says by what an alert with these labels is muted now, "" where by nothing.
	By func(key string, labels pipeline.Labels, now time.Time) string
	// Firing (or nil) hears of every alert that begins or ceases to fire.
	Firing func(key string, labels pipeline.Labels, firing bool)
	// Fresh: what the last result said does not count when it ends, for it came about by what muted it; only a new
	// bad result is told.
	Fresh bool
}

// MuteWith adds a muter.
func (p *Processor) MuteWith(m Muter) { p.muters = append(p.muters, m) }

func (p *Processor) onFiring(key string, labels pipeline.Labels, firing bool) {
	for _, m := range p.muters {
		if m.Firing != nil {
			m.Firing(key, labels, firing)
		}
	}
}

// mute notes by what a result is muted, and keeps it where it may be told later. A result that says nothing changes
// nothing.
func (p *Processor) mute(e *entry, event *pipeline.Event, now time.Time) bool {
	if event.Status == pipeline.Unknown {
		return e.extras().muted != ""
	}
	if !event.Status.IsBad() {
		e.noteMuted("", nil)
		return false
	}
	by, fresh := p.mutedBy(e, now)
	if by == "" || fresh {
		event = nil
	}
	e.noteMuted(by, event)
	return by != ""
}

// mutedBy is what mutes an alert, and whether it is the next result that counts when that ends.
func (p *Processor) mutedBy(e *entry, now time.Time) (by string, fresh bool) {
	for _, m := range p.muters {
		if by := m.By(e.key, e.Labels, now); by != "" {
			return by, m.Fresh
		}
	}
	return "", false
}

// firing keeps the books of what fires, and of what of it is muted, after a step from previous.
func (p *Processor) firing(e *entry, previous Alert) {
	if fires := e.Phase == Firing; fires != (previous.Phase == Firing) {
		p.onFiring(e.key, e.Labels, fires)
	}
	if e.Phase == Firing && e.extras().muted != "" {
		p.muted[e] = true
	} else {
		delete(p.muted, e)
	}
}

// Unmute tells of what fires and is muted no longer. It is to be called from time to time.
func (p *Processor) Unmute(b *pipeline.Batch) {
	for e := range p.muted {
		held := e.extras().held
		if by, fresh := p.mutedBy(e, b.Now); by != "" {
			if fresh {
				held = nil
			}
			e.noteMuted(by, held)
			continue
		}
		e.noteMuted("", nil)
		delete(p.muted, e)
		if held == nil || e.run == nil {
			continue
		}
		event := *held
		p.step(b, e, Observation{Status: event.Status, Time: event.Time, Now: b.Now}, e.policy(), &event)
	}
}

// FiringLabels calls do for every alert that fires.
func (p *Processor) FiringLabels(do func(key string, labels pipeline.Labels)) {
	for e := range p.alerts.all() {
		if e.Phase == Firing {
			do(e.key, e.Labels)
		}
	}
}
