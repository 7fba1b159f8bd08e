package alerting

import (
	"time"

	"catpaw/pipeline"
)

// Phase is where an alert is in its life.
type Phase uint8

const (
	None      Phase = iota // nothing is wrong, nothing is remembered
	Pending                // bad, but not yet for as long or as often as the policy asks
	Firing                 // bad, and told unless nothing may be sent
	Recovered              // over; remembered for flap_window, to notice flapping
)

var phaseNames = [...]string{"none", "pending", "firing", "recovered"}

func (p Phase) String() string { return phaseNames[p] }

// Alert is the life of one alert key. It is a value: Step returns the next one. While nothing is told
// a firing alert does not change, so that a lasting fault costs no writes.
type Alert struct {
	Phase     Phase
	Severity  pipeline.Status // of the last bad result
	Told      pipeline.Status // severity of the last notification, 0 = none in this episode
	Worst     pipeline.Status // the highest severity told in this episode
	Acked     bool            // somebody knows: no repeats in this episode
	Flaps     uint8           // times it opened again within flap_window of its recovery; 255 = or more
	Bad       int32           // bad results in a row while pending
	Good      int32           // good results in a row, while firing
	Count     int32           // notifications of the episode
	Sent      int32           // notifications since the severity reached Worst: repeat_number bounds these
	FirstFire int64           // unix seconds of the first bad result of the episode
	BadFor    time.Duration   // judged bad so far while pending; unseen time is not in it
	// At is, while pending, the last result that counts for BadFor, zero after an unseen gap; while firing, when it was
	// last told; when recovered, when that was.
	At time.Time
}

// Decision is what a step calls for.
type Decision uint8

const (
	Silent  Decision = iota
	Fire             // tell that it is bad
	Repeat           // tell again
	Rise             // tell that it got worse
	Recover          // tell that it is over
)

var decisionNames = [...]string{"silent", "fire", "repeat", "rise", "recover"}

func (d Decision) String() string { return decisionNames[d] }

// Observation is what one result says about an alert.
type Observation struct {
	Status pipeline.Status // Ok, Unknown or a severity
	Time   int64           // unix seconds of the result
	Now    time.Time       // for durations; with its monotonic part where it has one
	Unseen bool            // nobody looked for a while before this result
	Muted  bool            // nothing is to be told now but an end: it is silenced or inhibited
	Cause  cause           // why it counts as good where no result says so
}

// transition is one cell of the table in Step.
type transition func(Alert, Observation, pipeline.Policy) (Alert, Decision)

// column is what a result means, whatever its severity.
type column uint8

const (
	bad column = iota
	good
	unknown
)

// table is the life of an alert. Reading it needs no other line of this package.
var table = [...][3]transition{
	None:      {bad: open, good: stay, unknown: stay},
	Pending:   {bad: ripen, good: forget, unknown: pause},
	Firing:    {bad: goOn, good: heal, unknown: stay},
	Recovered: {bad: reopen, good: settle, unknown: stay},
}

// Step is the alert machine: a pure function of state, result and policy (the time is in the result).
func (a Alert) Step(o Observation, p pipeline.Policy) (Alert, Decision) {
	c := unknown
	switch {
	case o.Status.IsBad():
		c = bad
	case o.Status == pipeline.Ok:
		c = good
	}
	return table[a.Phase][c](a, o, p)
}

func stay(a Alert, _ Observation, _ pipeline.Policy) (Alert, Decision) { return a, Silent }

func forget(Alert, Observation, pipeline.Policy) (Alert, Decision) { return Alert{}, Silent }

// pause stops the clocks: the time until the next result was not seen.
func pause(a Alert, _ Observation, _ pipeline.Policy) (Alert, Decision) {
	a.At = time.Time{}
	return a, Silent
}

// open begins an episode.
func open(_ Alert, o Observation, p pipeline.Policy) (Alert, Decision) {
	return ripen(Alert{Phase: Pending, FirstFire: o.Time}, o, p)
}

// reopen begins an episode of an alert that recovered not long ago.
func reopen(a Alert, o Observation, p pipeline.Policy) (Alert, Decision) {
	flaps := uint8(0)
	if o.Now.Sub(a.At) <= p.FlapWindow.Std() {
		flaps = max(a.Flaps, a.Flaps+1) // 255 and 1 are 255
	}
	next, decision := open(Alert{}, o, p)
	next.Flaps = flaps
	return next, decision
}

// settle forgets a recovered alert when it can no longer be flapping.
func settle(a Alert, o Observation, p pipeline.Policy) (Alert, Decision) {
	if o.Now.Sub(a.At) > p.FlapWindow.Std() {
		return Alert{}, Silent
	}
	return a, Silent
}

// ripen counts a bad result of a pending alert, which fires when it is bad long and often enough.
func ripen(a Alert, o Observation, p pipeline.Policy) (Alert, Decision) {
	a.Bad++
	a.Severity = o.Status
	if !a.At.IsZero() && !o.Unseen {
		a.BadFor += max(0, o.Now.Sub(a.At))
	}
	a.At = o.Now
	if a.BadFor < p.ForDuration.Std() || int(a.Bad) < p.ForChecks {
		return a, Silent
	}
	a.Phase, a.At = Firing, time.Time{}
	if o.Muted {
		return a, Silent
	}
	return a.tell(o, Fire)
}

// goOn is a bad result of a firing alert: it got worse, a repeat is due, or there is nothing to say.
func goOn(a Alert, o Observation, p pipeline.Policy) (Alert, Decision) {
	a.Good = 0
	a.Severity = o.Status
	switch {
	case o.Muted: // what is due then is told when that ends
		return a, Silent
	case a.Count == 0: // it was muted when it began
		return a.tell(o, Fire)
	case o.Status > a.Told: // always told: the sink must not believe in less than there is
		if o.Status > a.Worst {
			a.Sent = 0 // but the count starts again only once, or swinging would defeat it
		}
		return a.tell(o, Rise)
	case a.Acked:
		return a, Silent
	case p.RepeatNumber > 0 && int(a.Sent) >= p.RepeatNumber:
		return a, Silent
	case o.Now.Sub(a.At) < p.RepeatInterval.Std():
		return a, Silent
	}
	return a.tell(o, Repeat)
}

// heal is a good result of a firing alert, which recovers when there were enough of them in a row.
func heal(a Alert, o Observation, p pipeline.Policy) (Alert, Decision) {
	a.Good++
	if int(a.Good) < a.needed(p) {
		return a, Silent
	}
	return a.end(o, p)
}

// needed is how many good results in a row end the alert: twice as many for every time that it
// opened again shortly after its recovery, so that a flapping check does not tell every edge.
func (a Alert) needed(p pipeline.Policy) int {
	const mostDoublings = 4
	return max(1, p.RecoverChecks) << min(a.Flaps, mostDoublings)
}

// end closes the episode.
func (a Alert) end(o Observation, p pipeline.Policy) (Alert, Decision) {
	decision := Silent
	if a.Count > 0 && p.RecoveryNotification {
		decision = Recover
	}
	if p.FlapWindow == 0 {
		return Alert{}, decision
	}
	return Alert{Phase: Recovered, At: o.Now, Flaps: a.Flaps}, decision
}

func (a Alert) tell(o Observation, d Decision) (Alert, Decision) {
	a.Count++
	a.Sent++
	a.Told, a.Worst, a.At = o.Status, max(a.Worst, o.Status), o.Now
	return a, d
}
