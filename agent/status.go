package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"catpaw/agent/api"
	"catpaw/internal/config"
	"catpaw/internal/redact"
	"catpaw/pipeline"
	"catpaw/processors/alerting"
)

// Status is how the agent is doing.
func (a *Agent) Status() (api.Status, error) {
	outputs, err := a.List()
	if err != nil {
		return api.Status{}, err
	}
	s := api.Status{
		Version: a.source.Version, PID: os.Getpid(), Started: a.started, LogLevel: a.level.String(),
		State: api.StateDir{Directory: a.stateDir}, Checks: a.pipeline.Checks(), Outputs: outputs,
	}
	if trouble := a.store.Trouble(); trouble != nil {
		s.State.Trouble, s.State.Since = trouble.Text, trouble.Since
	}
	a.mu.Lock()
	s.Config, s.Idle = a.loaded, append([]api.Idle{}, a.idle...) // not nil, which is no list in JSON
	hash := a.hash
	a.mu.Unlock()
	s.Config.Hash = hash()
	s.Host, _ = os.Hostname()
	s.Heartbeat, s.PageTrouble = a.heart.health(), a.page.Trouble()
	var alerts alerting.Snapshot
	a.pipeline.Do(func(b *pipeline.Batch) { alerts = a.alerting.Snapshot(b.Now) })
	s.Alerts = alerts.Views()
	for i := range s.Alerts {
		s.Alerts[i].Sum()
		s.Alerts[i].Description = "" // Why has it
		hide(&s.Alerts[i])
	}
	return s, nil
}

// Why tells the stories of an alert key, a target or a check.
func (a *Agent) Why(asked string) (api.Why, error) {
	asked = strings.TrimSpace(asked)
	if asked == "" {
		return api.Why{}, errors.New("say what is asked for: an alert key, a target or a check")
	}
	w := api.Why{Asked: asked, Checks: []pipeline.CheckHealth{}, Outputs: []api.QueueStatus{}}
	asked = a.checkAt(asked)
	a.pipeline.Do(func(b *pipeline.Batch) { w.Stories, w.More = a.alerting.Stories(asked, b.Now) })
	for i := range w.Stories {
		w.Stories[i].Sum()
		hide(&w.Stories[i].View)
	}
	w.Checks = append(w.Checks, a.checksMeant(asked, w.Stories)...)
	queues, err := a.List()
	a.addRefused(w.Stories, queues)
	meant := false
	for _, queue := range queues {
		meant = meant || queue.Name == asked
		if queue.Name == asked || queue.Queued > 0 || queue.LastFailure.After(queue.LastSuccess) {
			w.Outputs = append(w.Outputs, queue)
		}
	}
	if len(w.Stories)+len(w.Checks) == 0 && !meant {
		return api.Why{}, fmt.Errorf("nothing is known of %q: no check looks at it, and no alert is or was lately open under that key, target or label. catpaw status lists what there is", asked)
	}
	return w, err
}

// addRefused tells the stories what sinks refused of them: what became a dead letter was told, and nobody heard it.
func (a *Agent) addRefused(stories []api.Story, queues []api.QueueStatus) {
	keys := make(map[string]bool, len(stories))
	for i := range stories {
		keys[stories[i].Key] = true
	}
	for _, queue := range queues {
		letters, err := a.store.Refused(queue.Name, keys)
		if err != nil {
			a.log.Debug("dead letters cannot be read", zap.String("output", queue.Name), zap.Error(err))
			continue
		}
		for i := range stories {
			if letter := letters[stories[i].Key]; letter != nil {
				stories[i].Refused = append(stories[i].Refused, api.Refusal{
					Output: queue.Name, Told: time.Unix(letter.Row.Time, 0), Reason: redact.Logins(letter.Reason),
				})
			}
		}
	}
}

// checksMeant are the checks that are asked for: by name, by what they look at, or by the alerts they raised; where there is
// none, by a part of a name.
func (a *Agent) checksMeant(asked string, stories []api.Story) (called []pipeline.CheckHealth) {
	var like []pipeline.CheckHealth
	for _, one := range a.pipeline.Checks() {
		names := a.namesOf(one)
		switch {
		case slices.Contains(names, asked), slices.ContainsFunc(stories, func(s api.Story) bool { return s.Check == one.ID }):
			called = append(called, one)
		case slices.ContainsFunc(names, func(name string) bool { return alerting.HasParts(name, asked) }):
			like = append(like, one)
		}
	}
	if len(called)+len(stories) == 0 {
		return like
	}
	return called
}

// namesOf are the identity of a check, its place, and the values of the labels that it knows of its alerts beforehand.
func (a *Agent) namesOf(one pipeline.CheckHealth) []string {
	a.mu.Lock()
	check := a.checks[one.ID]
	a.mu.Unlock()
	names := []string{one.ID, one.Source}
	if check == nil {
		return names
	}
	for _, own := range keysOf(check.Input) {
		for _, label := range own {
			names = append(names, label.Value)
		}
	}
	return names
}

// checkAt is the identity of the check that is configured at a place, or what was asked for.
func (a *Agent) checkAt(asked string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, check := range a.checks {
		if check.Source == asked || isPlace(asked) && (strings.HasSuffix(check.Source, "/"+asked) || strings.HasSuffix(asked, "/"+check.Source)) {
			return id
		}
	}
	return asked
}

// hide takes the passwords out of what is shown of an alert: targets are labels as they are written.
func hide(v *api.Alert) {
	for name, value := range v.Labels {
		v.Labels[name] = redact.Logins(value)
	}
	v.Title, v.Seen, v.Description, v.Muted, v.Standing = redact.Logins(v.Title), redact.Logins(v.Seen), redact.Logins(v.Description), redact.Logins(v.Muted), redact.Logins(v.Standing)
}

// isPlace: a file and a line.
func isPlace(asked string) bool {
	file, line, _ := strings.Cut(asked, ".toml:")
	return file != "" && line != ""
}

// SetLogLevel changes how much the agent logs; "" changes nothing.
func (a *Agent) SetLogLevel(text string) (before string, err error) {
	before = a.level.String()
	if text == "" {
		return before, nil
	}
	options := defaultLogOptions()
	options.Level = text
	var fault *config.FieldError
	if errors.As(options.check(), &fault) {
		return before, errors.New(fault.Text)
	}
	level, _ := zapcore.ParseLevel(text) // judged
	a.level.SetLevel(level)
	return before, nil
}

// Reload has the agent's own goroutine reload, and returns what changed.
func (a *Agent) Reload(ctx context.Context) (changes api.Changes, err error) {
	done := make(chan struct{})
	select {
	case a.asks <- func() { defer close(done); changes, err = a.reload() }:
		<-done
		return changes, err
	case <-ctx.Done():
		return api.Changes{}, ctx.Err()
	}
}

// Stuck says what does not move any more.
func (a *Agent) Stuck() error { return a.vitals.stuck(time.Now()) }

// Unwell is Stuck, or that nothing can be kept on disk.
func (a *Agent) Unwell() error { return a.vitals.unwell(time.Now()) }
