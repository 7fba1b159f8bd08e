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
	complete := r.End.Well && len(r.End.Incomplete) == 0
	own := p.byCheck[r.Check.ID]
	for _, key := range slices.Sorted(maps.Keys(own)) {
		e := own[key]
		switch {
		case e.run == r.Run:
		case e.Phase == Recovered:
			p.step(b, e, Observation{Status: pipeline.Ok, Now: b.Now}, r.Check.Policy, nil)
		case !r.End.Well || r.End.Incomplete[""] || r.End.Incomplete[e.Source]:
			p.step(b, e, Observation{Status: pipeline.Unknown, Now: b.Now}, r.Check.Policy, nil) // nobody looked
		case e.stale:
			p.end(b, e, "it is no longer in the configuration")
		case r.Check.Policy.ResolveAbsent:
			event := ending(e, b.Now, "the check ran well and no longer reports this")
			p.step(b, e, Observation{Status: pipeline.Ok, Time: event.Time, Now: b.Now}, r.Check.Policy, event)
		}
	}
	if complete {
		delete(p.waiting, r.Check.ID)
	}
}

// Configure tells which checks run from now on. Alerts of others are orphans: a new or changed check
// of the same plugin may still claim them by reporting under the same key; when all of those have
// looked, what is left is over.
func (p *Processor) Configure(checks []*pipeline.Check) {
	before := p.configured
	p.configured = make(map[string]*pipeline.Check, len(checks))
	clear(p.waiting)
	clear(p.conflicts)
	for _, check := range checks {
		p.configured[check.ID] = check
		old := before[check.ID]
		if old == nil || old.Content != check.Content {
			p.waiting[check.ID] = check.Plugin
			for _, e := range p.byCheck[check.ID] {
				e.stale = true
			}
		}
	}
	p.orphans = true
}

// endOrphans ends the alerts of checks that are no longer configured, once nobody can claim them.
func (p *Processor) endOrphans(b *pipeline.Batch) {
	claimable := map[string]bool{}
	for _, plugin := range p.waiting {
		claimable[plugin] = true
	}
	p.orphans = false
	for _, owner := range slices.Sorted(maps.Keys(p.byCheck)) {
		if p.configured[owner] != nil {
			continue
		}
		plugin, _, _ := strings.Cut(owner, "/")
		if claimable[plugin] {
			p.orphans = true
			continue
		}
		own := p.byCheck[owner]
		for _, key := range slices.Sorted(maps.Keys(own)) {
			p.end(b, own[key], "its check was removed from the configuration, or renamed")
		}
	}
}

// end closes an alert at once, whatever its policy says about good results in a row.
func (p *Processor) end(b *pipeline.Batch, e *entry, why string) {
	event := ending(e, b.Now, why)
	next, decision := Alert{}, Silent
	if e.Phase == Firing {
		_, decision = e.Alert.end(Observation{Now: b.Now}, e.policy())
	}
	p.settle(b, e, next, decision, event)
}
