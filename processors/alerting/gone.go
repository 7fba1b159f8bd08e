package alerting

import (
	"maps"
	"slices"
	"strings"

	"catpaw/pipeline"
)

// endRun looks for alerts that a run did not mention. When it looked everywhere it could have found
// them, they are over. It also forgets what recovered long ago.
func (p *Processor) endRun(b *pipeline.Batch, r *pipeline.Result) {
	open := func(e *entry) bool { return e.run != r.Run || e.extras().waitingOk != nil }
	for _, e := range p.ownedBy(r.Check.ID, open) {
		switch {
		case e.run == r.Run:
			event := e.extras().waitingOk
			p.step(b, e, Observation{Status: pipeline.Ok, Time: event.Time, Now: b.Now}, r.Check.Policy, event)
			e.waitOk(nil)
		case e.Phase == Recovered:
			p.step(b, e, Observation{Status: pipeline.Ok, Now: b.Now}, r.Check.Policy, nil)
		case !r.End.Well || r.End.Incomplete[""] || r.End.Incomplete[e.origin().Source]:
			p.step(b, e, Observation{Status: pipeline.Unknown, Now: b.Now}, r.Check.Policy, nil) // nobody looked
		case e.stale:
			p.end(b, e, noMore)
		case r.Check.Policy.ResolveAbsent:
			event := ending(e, b.Now, absent)
			p.step(b, e, Observation{Status: pipeline.Ok, Time: event.Time, Now: b.Now, Cause: absent}, r.Check.Policy, event)
		}
	}
	maps.DeleteFunc(p.recovered, func(_ string, run *pipeline.Run) bool { return run == r.Run })
	p.looked(r)
}

// patience is how many runs a new check may fail before its plugin's orphans are ended without it.
const patience = 3

// looked notes that a new check has had its say on the orphans of its plugin: what it reports it has
// claimed by now. A source that failed may have some to claim yet.
func (p *Processor) looked(r *pipeline.Result) {
	w := p.waiting[r.Check.ID]
	if w == nil {
		return
	}
	w.runs++
	w.failed = r.End.Incomplete
	if r.End.Well && !r.End.Incomplete[""] || w.runs >= patience {
		w.looked = true
	}
	if w.looked && (len(w.failed) == 0 || w.runs >= patience) {
		delete(p.waiting, r.Check.ID)
	}
}

// claimable reports whether a new check may still claim an orphan.
func (p *Processor) claimable(plugin string, e *entry) bool {
	for _, w := range p.waiting {
		if w.plugin == plugin && (!w.looked || w.failed[e.origin().Source]) {
			return true
		}
	}
	return false
}

// Configure tells which checks run from now on. Alerts of others are orphans: a new or changed check
// of the same plugin may still claim them by reporting under the same key; when all of those have
// looked, what is left is over. Alerts of plugins that are not covered are left alone: nobody said that
// their checks are gone.
func (p *Processor) Configure(checks []*pipeline.Check, covered func(plugin string) bool) {
	p.covered = covered
	before := p.configured
	p.configured = make(map[string]*pipeline.Check, len(checks))
	p.lastCheck = nil
	clear(p.waiting)
	clear(p.conflicts)
	clear(p.recovered)
	for _, check := range checks {
		p.configured[check.ID] = check
		old := before[check.ID]
		if old == nil || old.Content != check.Content {
			p.waiting[check.ID] = &waiting{plugin: check.Plugin}
			for _, e := range p.byOwner[check.ID] {
				e.stale = true
			}
		}
	}
	p.orphans = true
}

// endOrphans ends the alerts of checks that are no longer configured, once nobody can claim them.
func (p *Processor) endOrphans(b *pipeline.Batch) {
	p.orphans = false
	for _, owner := range slices.Sorted(maps.Keys(p.byOwner)) {
		if p.configured[owner] != nil {
			continue
		}
		plugin, _, _ := strings.Cut(owner, "/")
		if !p.covered(plugin) {
			continue
		}
		for _, e := range p.ownedBy(owner, func(*entry) bool { return true }) {
			if p.claimable(plugin, e) {
				p.orphans = true
				continue
			}
			p.end(b, e, checkGone)
		}
	}
}

// cause is why an alert ends of which no result says that all is well.
type cause uint8

const (
	noCause cause = iota
	checkGone
	noMore
	absent
	switchedOff
)

var causeTexts = [...]string{
	checkGone:   "its check was removed from the configuration, or renamed",
	noMore:      "it was removed from the configuration, or renamed",
	absent:      "the check ran well and no longer reports this",
	switchedOff: "alerting was disabled for this check while the alert was open",
}

// end closes an alert at once, whatever its policy says about good results in a row.
func (p *Processor) end(b *pipeline.Batch, e *entry, why cause) {
	event := ending(e, b.Now, why)
	next, decision := Alert{}, Silent
	if e.Phase == Firing {
		_, decision = e.Alert.end(Observation{Now: b.Now}, e.policy())
	}
	c := chapterOf(Observation{Status: pipeline.Ok, Now: b.Now, Cause: why}, e.Alert, next, decision, e.policy())
	p.settle(b, e, next, c, event)
}
