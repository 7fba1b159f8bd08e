package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"catpaw/agent/api"
	"catpaw/internal/config"
	"catpaw/internal/redact"
	"catpaw/pipeline"
	"catpaw/processors/alerting"
	"catpaw/processors/silence"
	"catpaw/store"
)

// silencesMemo is under what the store keeps the silences.
const silencesMemo = "catpaw/silences"

// muteTick is how often the agent looks whether something is silenced or inhibited no longer.
const muteTick = time.Second

// unmute looks again and again, in a goroutine of its own: a reload that hangs must not hold up what is due.
func (a *Agent) unmute(ctx context.Context) {
	tick := time.NewTicker(muteTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.pipeline.Do(a.endMutes)
			note(&a.vitals.decided)
		}
	}
}

// endMutes tells of what is muted no longer.
func (a *Agent) endMutes(b *pipeline.Batch) {
	expired := a.silences.Expire(b.Now)
	for _, over := range expired {
		a.log.Info("a silence is over", zap.Int("silence", over.ID), zap.String("match", over.Matching()))
	}
	if len(expired) > 0 {
		a.keepSilences(b)
	}
	a.alerting.Unmute(b)
}

func (a *Agent) keepSilences(b *pipeline.Batch) {
	for i := range b.Memos {
		if b.Memos[i].Check == silencesMemo {
			b.Memos[i].Data = a.silences.Encode()
			return
		}
	}
	b.Memos = append(b.Memos, store.Memo{Check: silencesMemo, Data: a.silences.Encode()})
}

// change changes the silences between two batches, and returns when that is on disk, or why it is not.
func (a *Agent) change(do func(b *pipeline.Batch) (api.Silence, error)) (one api.Changed, err error) {
	a.pipeline.Do(func(b *pipeline.Batch) {
		if one.Silence, err = do(b); err == nil {
			a.keepSilences(b)
			a.alerting.Unmute(b)
		}
	})
	if err == nil {
		one.Unkept = a.unkept()
	}
	return one, err
}

// unkept waits until what was changed is on disk. Where that cannot be, the change stands nevertheless: who asked for it
// must hear so, else they ask again.
func (a *Agent) unkept() (u api.Unkept) {
	if err := a.store.Sync(); err != nil {
		u.NotOnDisk = err.Error()
	}
	return u
}

// Silences are those in force.
func (a *Agent) Silences() (all []api.Silence, err error) {
	a.pipeline.Do(func(b *pipeline.Batch) { all = a.silences.List(b.Now) })
	return all, nil
}

// AddSilence begins one.
func (a *Agent) AddSilence(n api.NewSilence) (added api.Added, err error) {
	var open alerting.Snapshot
	changed, err := a.change(func(b *pipeline.Batch) (api.Silence, error) {
		open = a.alerting.Snapshot(b.Now)
		one := api.Silence{Match: n.Match, Process: n.Process, Reason: n.Reason, By: n.By}
		if n.For > silence.Longest.Seconds() {
			return one, errors.New("at most a year")
		}
		if n.For > 0 {
			one.Until = b.Now.Add(time.Duration(n.For * float64(time.Second))).Round(time.Second)
		}
		return a.silences.Add(one, b.Now)
	})
	if err != nil {
		return api.Added{}, err
	}
	added.Silence, added.Unkept = changed.Silence, changed.Unkept
	a.log.Info("a silence begins", zap.Int("silence", added.ID), zap.String("match", added.Matching()), zap.String("by", added.By), zap.String("reason", added.Reason))
	const most = 5
	added.Alerts = []string{}
	for _, alert := range open.Views() {
		switch {
		case !alert.IsOpen() || !added.Fits(pipeline.LabelsOf(alert.Labels)):
		case len(added.Alerts) == most:
			added.More++
		default:
			added.Alerts = append(added.Alerts, redact.Logins(alert.Name()))
		}
	}
	if len(added.Alerts) == 0 {
		added.Hint = a.hint(n.Match, open.Views())
	}
	return added, nil
}

// hint names the identity of a check among the globs of a silence: labels have none, so that it would match nothing,
// unless an open alert has such a label all the same.
func (a *Agent) hint(match map[string]config.Strings, open []api.Alert) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, label := range slices.Sorted(maps.Keys(match)) {
		for _, glob := range match[label] {
			isLabel := slices.ContainsFunc(open, func(alert api.Alert) bool { return alert.IsOpen() && alert.Labels[label] == glob })
			if check := a.checks[glob]; check != nil && !isLabel {
				return fmt.Sprintf("%s is the ID of a check, and no label: match what its alerts carry, such as target or from_plugin (catpaw why %s shows them)", glob, glob)
			}
		}
	}
	return ""
}

// Follow binds a silence to a process.
func (a *Agent) Follow(id int, p api.Process) (api.Changed, error) {
	return a.change(func(*pipeline.Batch) (api.Silence, error) { return a.silences.Follow(id, p) })
}

// EndSilence ends one before its time.
func (a *Agent) EndSilence(id int) (api.Changed, error) {
	one, err := a.change(func(*pipeline.Batch) (api.Silence, error) { return a.silences.End(id) })
	if err == nil {
		a.log.Info("a silence is ended by hand", zap.Int("silence", one.ID), zap.String("match", one.Matching()))
	}
	return one, err
}

// Unack takes an acknowledgement back.
func (a *Agent) Unack(asked string) (api.Acked, error) {
	return a.acked(func(b *pipeline.Batch) (api.Alert, error) { return a.alerting.Unack(b, asked) })
}

// Ack acknowledges an alert.
func (a *Agent) Ack(asked, by, reason string) (api.Acked, error) {
	if err := errors.Join(silence.Brief("by", by), silence.Brief("reason", reason)); err != nil {
		return api.Acked{}, err
	}
	return a.acked(func(b *pipeline.Batch) (api.Alert, error) {
		note := "acknowledged " + b.Now.Format(time.DateTime+" MST")
		if by != "" {
			note += " by " + by
		}
		if reason != "" {
			note += ": " + reason
		}
		return a.alerting.Ack(b, asked, note)
	})
}

func (a *Agent) acked(do func(b *pipeline.Batch) (api.Alert, error)) (one api.Acked, err error) {
	a.pipeline.Do(func(b *pipeline.Batch) { one.Alert, err = do(b) })
	if err == nil {
		one.Unkept = a.unkept()
	}
	hide(&one.Alert)
	return one, err
}
