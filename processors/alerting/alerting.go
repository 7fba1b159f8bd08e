// Package alerting is the last processor: it holds the life of every alert and lets through only what
// somebody must hear of. The machine itself is in alert.go; this file feeds it, explain.go words what
// it tells, gone.go ends the alerts that nobody reports any more.
package alerting

import (
	"slices"
	"strings"
	"time"
	"unique"

	"go.uber.org/zap"

	"catpaw/internal/redact"
	"catpaw/pipeline"
	"catpaw/store"
)

// entry is one live alert with what is needed to tell its end when no result will. A host may have a million of them:
// with its labels, key, story and places in the index and byOwner one takes some 450 bytes, all told.
type entry struct {
	Alert
	from   unique.Handle[origin]
	Labels pipeline.Labels
	told   *audience // outputs that heard of this episode; nil = all

	key   string
	id    uint64 // rises from alert to alert, see stateKey
	place int32  // in byOwner
	stale bool   // not mentioned since the configuration last changed or the agent started

	// What follows is known only since this process runs.

	restored bool          // it was there when the agent started
	foundBad bool          // the last run that mentioned it found it bad
	run      *pipeline.Run // the last run that mentioned it; nil when restored and not yet reported again
	story    []chapter
	seen     string // description of the last bad result
	extra    *extra // nil as a rule
}

// origin is what many alerts have in common, which is kept once.
type origin struct {
	Owner     string // ID of the check that reports it
	Source    string
	TitleRule string
}

func (e *entry) origin() origin { return e.from.Value() }

// originCache remembers the last origin, which the next result has as a rule.
type originCache struct {
	last   origin
	handle unique.Handle[origin]
}

func (c *originCache) of(o origin) unique.Handle[origin] {
	if o != c.last || c.handle == (unique.Handle[origin]{}) {
		c.last, c.handle = o, unique.Make(o)
	}
	return c.handle
}

// waiting is a new check that has yet to look at everything it is there for.
type waiting struct {
	plugin string
	runs   int
	looked bool            // a run was well
	failed map[string]bool // sources that the last run could not look at
}

// Processor is used by the processing goroutine only.
type Processor struct {
	log     *zap.Logger
	began   time.Time
	alerts  index               // only those pending, firing or lately recovered
	byOwner map[string][]*entry // the same, in no order
	origins originCache

	configured map[string]*pipeline.Check
	lastCheck  *pipeline.Check // that current was asked for, as results come in runs of one check
	lastIs     bool            // what it said
	covered    func(plugin string) bool
	waiting    map[string]*waiting      // by ID: checks that may still claim an orphan
	orphans    bool                     // there may be alerts whose owner is not configured
	conflicts  map[string]bool          // alert keys already complained about
	recovered  map[string]*pipeline.Run // by alert key: the runs now going on in which it recovered
	lastID     uint64
	obsolete   []store.State // of alerts that a store kept twice
	buffer     []byte        // the last state, and room for the next
	routes     routes
	past       past
	seen       int // bytes of what was seen
	muters     []Muter
	muted      map[*entry]bool // those that fire and are muted
}

// New returns a processor without alerts.
func New(log *zap.Logger) *Processor {
	return &Processor{
		log: log, began: time.Now(), muted: map[*entry]bool{}, byOwner: map[string][]*entry{},
		configured: map[string]*pipeline.Check{}, waiting: map[string]*waiting{}, conflicts: map[string]bool{},
		recovered: map[string]*pipeline.Run{}, lastID: uint64(time.Now().UnixNano()),
	}
}

// States returns the state of every alert, for a store that has lost them.
func (p *Processor) States() []store.State {
	states := make([]store.State, 0, p.alerts.taken)
	for e := range p.alerts.all() {
		states = append(states, p.encode(e))
	}
	return states
}

// Firing is how many alerts fire.
func (p *Processor) Firing() (n int) {
	for e := range p.alerts.all() {
		if e.Phase == Firing {
			n++
		}
	}
	return n
}

// Restore takes over alerts that a store has kept. What cannot be read is logged and left out. What is
// known already is newer; of an alert that was kept twice, the later one counts.
func (p *Processor) Restore(states []store.State) {
	stored := newDecoder()
	p.alerts.reserve(p.alerts.taken + len(states))
	for _, state := range states {
		e, err := stored.decode(state)
		if err != nil {
			p.log.Error("a stored alert cannot be read and is forgotten", zap.Error(err))
			p.obsolete = append(p.obsolete, store.State{Key: state.Key})
			continue
		}
		old := p.alerts.get(e.key)
		if old != nil && (!old.stale || old.id > e.id) {
			p.obsolete = append(p.obsolete, store.State{Key: e.stateKey()})
			continue
		}
		if old != nil {
			p.obsolete = append(p.obsolete, store.State{Key: old.stateKey()})
			p.disown(old)
			p.unsee(old)
			p.firing(&entry{key: old.key, Labels: old.Labels}, old.Alert)
		}
		p.lastID = max(p.lastID, e.id)
		if e.told != nil {
			e.told = p.routes.list(e.told.names)
		}
		e.restored = true
		p.keep(e)
		p.firing(e, Alert{})
	}
	p.orphans = true
}

// Process decides on every result of the batch.
func (p *Processor) Process(b *pipeline.Batch) {
	for i := range b.Results {
		switch r := &b.Results[i]; {
		case !p.current(r.Check):
		case r.Event != nil:
			p.observe(b, r)
		case r.End != nil:
			p.endRun(b, r)
			if r.End.Memo != nil {
				b.Memos = append(b.Memos, store.Memo{Check: r.Check.ID, Data: r.End.Memo})
			}
		}
	}
	b.States, p.obsolete = append(b.States, p.obsolete...), nil
	if p.orphans {
		p.endOrphans(b)
	}
}

// current is false for a check that a reload removed or changed while its last results were on their way.
func (p *Processor) current(check *pipeline.Check) bool {
	if check != p.lastCheck {
		now := p.configured[check.ID]
		p.lastCheck, p.lastIs = check, now != nil && now.Content == check.Content
	}
	return p.lastIs
}

// observe feeds one result to the alert that it is about.
func (p *Processor) observe(b *pipeline.Batch, r *pipeline.Result) {
	event := r.Event
	status := event.Status
	e := p.alerts.get(event.AlertKey)
	if e == nil {
		if !status.IsBad() || !r.Check.Policy.Enabled {
			return // all is well and was: the way of nearly every result
		}
		p.lastID++
		e = &entry{key: event.AlertKey, id: p.lastID, from: p.origins.of(originOf(r)), Labels: event.Labels}
		p.keep(e)
	}
	if p.disputed(e, r) {
		return
	}
	p.claim(e, r)
	e.waitOk(nil)
	if status == pipeline.Ok && p.conflicts[e.key] {
		e.waitOk(event) // a bad one may follow in this run, as it did before
		return
	}
	why := noCause
	if status.IsBad() {
		if p.recovered[e.key] == r.Run {
			p.complain(e, r, r.Check.Source)
		}
		e.foundBad = true
		p.see(e, event.Description)
		if !r.Check.Policy.Enabled {
			status, why = pipeline.Ok, switchedOff
			event = ending(e, b.Now, why)
		}
	}
	p.step(b, e, Observation{
		Status: status, Time: event.Time, Now: b.Now, Unseen: r.Run.Unseen > 0, Muted: p.mute(e, event, b.Now), Cause: why,
	}, r.Check.Policy, event)
}

func originOf(r *pipeline.Result) origin {
	return origin{r.Check.ID, r.Event.Source, r.Event.TitleRule}
}

// claim notes that a check reports this alert now.
func (p *Processor) claim(e *entry, r *pipeline.Result) {
	if now := p.origins.of(originOf(r)); now != e.from {
		p.disown(e)
		e.from = now
		p.keep(e)
	}
	e.foundBad = e.foundBad && e.run == r.Run
	e.run, e.stale = r.Run, false
}

// disputed reports whether a result must not count, because another check, or an earlier result of the
// same run, says the opposite under the same alert key. The alert stays with whom it is; otherwise it
// would open and close at every check.
func (p *Processor) disputed(e *entry, r *pipeline.Result) bool {
	if e.Phase != Pending && e.Phase != Firing {
		return false
	}
	other := p.configured[e.origin().Owner]
	switch {
	case e.origin().Owner != r.Check.ID && other != nil && !e.stale:
		p.complain(e, r, other.Source)
		return true
	case r.Event.Status == pipeline.Ok && e.run == r.Run && e.foundBad:
		p.complain(e, r, r.Check.Source)
		return true
	}
	return false
}

func (p *Processor) complain(e *entry, r *pipeline.Result, other string) {
	const most = 1000
	if p.conflicts[e.key] || len(p.conflicts) >= most {
		return
	}
	p.conflicts[e.key] = true
	what := "two checks report under one alert key; give them different labels"
	if other == r.Check.Source {
		what = "one run reports an alert both bad and Ok; it stays bad"
	}
	p.log.Error(what, zap.String("alert_key", e.key), zap.String("labels", redact.Logins(e.Labels.String())),
		zap.String("one", strings.TrimSpace(other+" "+e.origin().Source)), zap.String("other", strings.TrimSpace(r.Check.Source+" "+r.Event.Source)))
}

// step moves one alert on, and notes what must be told and remembered.
func (p *Processor) step(b *pipeline.Batch, e *entry, o Observation, policy pipeline.Policy, event *pipeline.Event) {
	next, decision := e.Step(o, policy)
	c := chapterOf(o, e.Alert, next, decision, policy)
	if c.note == muted {
		by := e.extras().muted
		c.by = &by
	}
	p.settle(b, e, next, c, event)
}

// settle makes an alert what it is next, as a chapter of its story tells; what that decides is told of with event.
func (p *Processor) settle(b *pipeline.Batch, e *entry, next Alert, c chapter, event *pipeline.Event) {
	previous, decision := e.Alert, c.decision
	e.Alert = next
	if !next.Acked {
		e.noteAck("")
	}
	p.firing(e, previous)
	if decision == Recover && e.run != nil {
		p.recovered[e.key] = e.run
	}
	if decision != Silent {
		var left *string
		event.Outputs, left = p.routes.hears(e, next.Worst, decision)
		c.leftOut(event.Outputs != nil && len(event.Outputs) == 0, left)
		explain(event, previous, next, decision)
		b.Notify = append(b.Notify, event)
	}
	e.chronicle(c)
	switch {
	case next.Phase == None:
		p.disown(e)
		p.alerts.remove(e.key)
		p.unsee(e)
		p.past.add(e)
		if previous.Phase != None {
			b.States = append(b.States, store.State{Key: e.stateKey()})
		}
	case next != previous:
		b.States = append(b.States, p.encode(e))
	}
}

func (p *Processor) keep(e *entry) {
	p.alerts.put(e)
	owner := e.origin().Owner
	own := p.byOwner[owner]
	e.place = int32(len(own))
	p.byOwner[owner] = append(own, e)
}

func (p *Processor) disown(e *entry) {
	own := p.byOwner[e.origin().Owner]
	last := own[len(own)-1]
	own[e.place], last.place = last, e.place
	own[len(own)-1] = nil
	if len(own) == 1 {
		delete(p.byOwner, e.origin().Owner)
	} else {
		p.byOwner[e.origin().Owner] = own[:len(own)-1]
	}
}

// ownedBy returns those alerts of an owner that are wanted, in the order of their keys.
func (p *Processor) ownedBy(owner string, wanted func(*entry) bool) (found []*entry) {
	for _, e := range p.byOwner[owner] {
		if wanted(e) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
	return found
}

// policy is what holds for an alert whose check may be gone.
func (e *entry) policy() pipeline.Policy {
	if e.run != nil {
		return e.run.Check.Policy
	}
	return pipeline.DefaultPolicy()
}

// ending makes the event that tells the end of an alert that no result speaks of.
func ending(e *entry, now time.Time, why cause) *pipeline.Event {
	return &pipeline.Event{
		Time: now.Unix(), Status: pipeline.Ok, AlertKey: e.key, Labels: e.Labels, TitleRule: e.origin().TitleRule,
		Source: e.origin().Source, Description: "[MD]\n- **recovered**: " + causeTexts[why],
	}
}
