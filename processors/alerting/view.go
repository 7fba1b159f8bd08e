package alerting

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"catpaw/pipeline"
)

// View is an alert as people are shown it.
type View struct {
	Key       string            `json:"alert_key"`
	Title     string            `json:"title"`
	Labels    map[string]string `json:"labels"`
	Check     string            `json:"check"` // ID
	Phase     string            `json:"phase"`
	Severity  string            `json:"severity,omitempty"`
	FirstFire time.Time         `json:"since,omitzero"` // of the first bad result of the episode
	Told      int               `json:"told"`           // notifications of the episode, 0 where no output wanted one
	Of        int               `json:"of,omitempty"`   // repeat_number; 0 = without end
	LastTold  time.Time         `json:"last_told,omitzero"`
	Next      time.Time         `json:"next_repeat,omitzero"` // due with the first bad result from then on
	Muted     string            `json:"muted,omitempty"`      // by what it is kept from being told
	Acked     string            `json:"acknowledged,omitempty"`
	Standing  string            `json:"standing"`         // where it stands and what it waits for
	Outputs   []string          `json:"outputs,omitzero"` // that were told of it; empty where none wanted it
	Seen      string            `json:"seen,omitempty"`   // of its last bad result, in one line; filled in by Sum

	Description string `json:"description,omitempty"` // all of it
}

// IsOpen reports whether it is bad now, told or not.
func (v View) IsOpen() bool { return v.Phase == Firing.String() || v.Phase == Pending.String() }

// Name is what people call it: the title, and what it is about.
func (v View) Name() string {
	event := pipeline.Event{Labels: pipeline.LabelsOf(v.Labels)}
	return strings.TrimSpace(v.Title + " " + event.Where())
}

// Sum puts the line of the description that says what happened into Seen.
func (v *View) Sum() {
	event := pipeline.Event{Labels: pipeline.LabelsOf(v.Labels), Description: v.Description}
	v.Seen = event.Detail()
}

// Line is one stretch of results of an alert's story that were judged alike.
type Line struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Results int       `json:"results"`
	Status  string    `json:"status"`
	Text    string    `json:"text"` // what was decided, and why
}

// Story is an alert and how it came to be what it is.
type Story struct {
	View
	Before  string    `json:"before,omitempty"` // why the story does not begin with the alert
	Lines   []Line    `json:"story"`
	Refused []Refusal `json:"refused,omitempty"` // of what was told; filled in by who knows the outputs
}

// Refusal is the last event of an alert that an output's sink refused for good.
type Refusal struct {
	Output string    `json:"output"`
	Told   time.Time `json:"told"` // when that was decided
	Reason string    `json:"reason"`
}

// Refuses says it in words.
func (s *Story) Refuses(r Refusal, now time.Time) string {
	which := "what was told at " + clock(r.Told, now)
	if !s.LastTold.IsZero() && r.Told.Unix() >= s.LastTold.Unix() {
		which = "the last one"
	}
	return fmt.Sprintf("output %s refused %s: %s", r.Output, which, r.Reason)
}

// Snapshot is a copy of all live alerts: it is made in the processing goroutine, which has no time for more, and looked
// at elsewhere.
type Snapshot struct {
	at      time.Time
	entries []shown
}

// shown is an alert with what keeps it from being told: what mutes it, or that no output wants it.
type shown struct {
	entry
	mutedNow, unwanted string
}

// Snapshot copies all live alerts. Like all methods of Processor it is for the processing goroutine.
func (p *Processor) Snapshot(now time.Time) Snapshot {
	s := Snapshot{at: now, entries: make([]shown, 0, p.alerts.taken)}
	for e := range p.alerts.all() {
		s.entries = append(s.entries, p.shown(e, now))
	}
	return s
}

// shown copies an alert. What came since the last result counts: so the muters are asked again.
func (p *Processor) shown(e *entry, now time.Time) shown {
	one := shown{entry: *e}
	if e.Phase == Pending || e.Phase == Firing {
		one.mutedNow, _ = p.mutedBy(e, now)
	}
	if e.isUnheard() {
		one.unwanted = p.routes.unwanted(e)
	}
	return one
}

// Views are the alerts of a snapshot, those that fire first, the worst and oldest of them before the others.
func (s Snapshot) Views() []View {
	slices.SortFunc(s.entries, compareShown)
	all := make([]View, 0, len(s.entries))
	for i := range s.entries {
		all = append(all, s.entries[i].view(s.at))
	}
	return all
}

var phaseOrder = [...]int{Firing: 0, Pending: 1, Recovered: 2, None: 3}

func compareShown(a, b shown) int {
	return cmp.Or(cmp.Compare(phaseOrder[a.Phase], phaseOrder[b.Phase]), cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(a.FirstFire, b.FirstFire), cmp.Compare(a.key, b.key))
}

// standing is that of the alert, unless something beside it keeps it from being told.
func (e *shown) standing(p pipeline.Policy, now time.Time) string {
	muted := e.mutedNow
	switch {
	case e.Phase == Pending && muted != "":
		return e.Alert.standing(p, now) + "; " + muted
	case e.Phase != Firing || e.Good > 0:
	case muted != "" && e.Count == 0:
		return muted + "; told then, if still bad"
	case muted != "":
		return muted
	case e.unwanted != "":
		return e.unwanted
	case e.Acked:
		return e.extras().ack + "; no repeats, unless it gets worse"
	}
	return e.Alert.standing(p, now)
}

func (e *shown) view(now time.Time) View {
	policy := e.policy()
	title, _ := e.name()
	v := View{
		Key: e.key, Title: title, Labels: e.Labels.Map(), Check: e.origin().Owner, Phase: e.Phase.String(),
		Told: int(e.Count), Of: policy.RepeatNumber, Standing: e.standing(policy, now), Muted: e.mutedNow, Acked: e.extras().ack, Outputs: e.heard(),
		Description: e.seen,
	}
	if e.Phase == Pending || e.Phase == Firing {
		v.Severity, v.FirstFire = e.Severity.String(), time.Unix(e.FirstFire, 0)
	}
	if e.isUnheard() {
		v.Told = 0
	} else if e.Phase == Firing && e.Count > 0 {
		v.LastTold = e.At
	}
	if due, ok := e.repeats(policy); ok && e.unwanted == "" {
		v.Next = due
	}
	return v
}

// repeats is when the next repeat of a firing alert is due.
func (a Alert) repeats(p pipeline.Policy) (due time.Time, ever bool) {
	if a.Phase != Firing || a.Count == 0 || a.Acked || p.RepeatNumber > 0 && int(a.Sent) >= p.RepeatNumber {
		return time.Time{}, false
	}
	return a.At.Add(p.RepeatInterval.Std()), true
}

// standing says what an alert waits for.
func (a Alert) standing(p pipeline.Policy, now time.Time) string {
	switch a.Phase {
	case Pending:
		return "pending: " + a.ripeness(p)
	case Recovered:
		return fmt.Sprintf("over since %s; remembered until %s to notice flapping", clock(a.At, now), clock(a.At.Add(p.FlapWindow.Std()), now))
	case None:
		return "over"
	}
	if a.Good > 0 {
		return fmt.Sprintf("good, %d of %s in a row that end it", a.Good, count(a.needed(p), "result"))
	}
	due, ever := a.repeats(p)
	switch {
	case a.Count == 0:
		return "told with the next bad result"
	case !ever:
		return fmt.Sprintf("told %s, as often as repeat_number allows", times(int(a.Sent)))
	case p.RepeatInterval == 0:
		return "told again with every bad result"
	case due.Before(now):
		return "the next bad result is told again"
	}
	return "told again if still bad at " + clock(due, now)
}

// ripeness is how far a pending alert is.
func (a Alert) ripeness(p pipeline.Policy) string {
	var parts []string
	if p.ForDuration > 0 {
		parts = append(parts, fmt.Sprintf("bad for %s of %s", a.BadFor.Round(time.Second), p.ForDuration))
	}
	if p.ForChecks > 1 {
		parts = append(parts, fmt.Sprintf("%d of %d bad results in a row", min(int(a.Bad), p.ForChecks), p.ForChecks))
	}
	return strings.Join(parts, ", ")
}

// clock is a time of day, with the date where it is another day.
func clock(t, now time.Time) string {
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly + " MST")
	}
	return t.Format(time.DateTime + " MST")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (p *Processor) story(e *entry, now time.Time) Story {
	one := p.shown(e, now)
	s := Story{View: one.view(now), Before: p.before(e, now), Lines: make([]Line, 0, len(e.story))}
	for _, c := range e.story {
		s.Lines = append(s.Lines, Line{
			From: time.Unix(int64(c.from), 0), To: time.Unix(int64(c.to), 0), Results: int(c.n), Status: c.status.String(), Text: c.text(),
		})
	}
	return s
}

var decisionTexts = [...]string{
	Fire: "told: it fires", Repeat: "told again", Rise: "told: it got worse", Recover: "told: it is over",
}

var noteTexts = [...]string{
	ripening: "not told: not yet bad for as long or as often as for_duration and for_checks ask",
	blip:     "nothing to tell: it was good again before it fired",
	notDue:   "not told again: repeat_interval has not passed",
	usedUp:   "not told again: repeat_number is reached",
	acked:    "not told again: acknowledged",
	healing:  "not over yet: recover_checks, or flapping, asks for more good results in a row",
	quietEnd: "over, and not told: recovery_notification is off, or nothing was told before",
	noView:   "nothing decided: the probe could not judge this, or the agent was not looking",
	settled:  "good, and it was over already",
}

func (c chapter) text() string {
	if c.cause != noCause {
		return c.told() + ": " + causeTexts[c.cause]
	}
	return c.told()
}

func (c chapter) told() string {
	switch {
	case c.decision != Silent && c.by != nil:
		return decisionTexts[c.decision] + "; left out: " + *c.by
	case c.decision != Silent:
		return decisionTexts[c.decision]
	case c.note == unwanted && c.status == pipeline.Ok:
		return "over, and not told: no output is to hear of it" + inBrackets(c.by)
	case c.note == unwanted:
		return "not told: no output wants it" + inBrackets(c.by)
	case c.by != nil:
		return "not told: " + *c.by
	}
	return noteTexts[c.note]
}

func inBrackets(text *string) string {
	if text == nil {
		return ""
	}
	return " (" + *text + ")"
}
