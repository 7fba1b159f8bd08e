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
	var checks []pipeline.CheckHealth
	w.Stories, w.More, checks = a.meant(asked)
	for i := range w.Stories {
		w.Stories[i].Sum()
		hide(&w.Stories[i].View)
	}
	w.Checks = append(w.Checks, checks...)
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
		return api.Why{}, a.unknown(asked)
	}
	return w, err
}

// unknown says that nothing is known of what was asked for, and what to ask instead.
func (a *Agent) unknown(asked string) error {
	var begins bool
	a.pipeline.Do(func(*pipeline.Batch) { begins = a.alerting.BeginsKey(asked) })
	if begins {
		return fmt.Errorf("an alert key begins with %q, but that is too little of it: give its first %d letters or more", asked, alerting.ShortestKey)
	}
	return fmt.Errorf("nothing is known of %q: no check looks at it, and no alert is or was lately open under that key, target or label. catpaw status lists what there is", asked)
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

// meant are the alerts and the checks that somebody asks for: all that is configured at a place, else what is called so,
// else what has a part of its name so.
func (a *Agent) meant(asked string) (stories []api.Story, more int, checks []pipeline.CheckHealth) {
	all := a.pipeline.Checks()
	if at := checksThat(all, func(c pipeline.CheckHealth) bool { return isAt(c.Source, asked) }); len(at) > 0 {
		stories, more = a.storiesOf(at)
		return stories, more, at
	}
	a.pipeline.Do(func(b *pipeline.Batch) { stories, more = a.alerting.Stories(asked, b.Now) })
	checks = checksThat(all, func(c pipeline.CheckHealth) bool {
		raised := func(s api.Story) bool { return s.Check == c.ID }
		return slices.Contains(a.namesOf(c), asked) || slices.ContainsFunc(stories, raised)
	})
	if len(stories)+len(checks) > 0 {
		return stories, more, checks
	}
	like := func(name string) bool { return alerting.HasParts(name, asked) }
	// One of the things that a check looks at stands for its own alerts, which would have been found, not for those of the others.
	stories, more = a.storiesOf(checksThat(all, func(c pipeline.CheckHealth) bool { return like(c.ID) || like(c.Source) }))
	return stories, more, checksThat(all, func(c pipeline.CheckHealth) bool { return slices.ContainsFunc(a.namesOf(c), like) })
}

func checksThat(all []pipeline.CheckHealth, fit func(pipeline.CheckHealth) bool) (those []pipeline.CheckHealth) {
	for _, one := range all {
		if fit(one) {
			those = append(those, one)
		}
	}
	return those
}

// storiesOf are those of the alerts of checks.
func (a *Agent) storiesOf(checks []pipeline.CheckHealth) (stories []api.Story, more int) {
	ids := make([]string, 0, len(checks))
	for _, check := range checks {
		ids = append(ids, check.ID)
	}
	a.pipeline.Do(func(b *pipeline.Batch) { stories, more = a.alerting.StoriesOf(ids, b.Now) })
	return stories, more
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

// hide takes the passwords out of what is shown of an alert: targets are labels as they are written.
func hide(v *api.Alert) {
	for name, value := range v.Labels {
		v.Labels[name] = redact.Logins(value)
	}
	v.Title, v.Seen, v.Description, v.Muted, v.Standing = redact.Logins(v.Title), redact.Logins(v.Seen), redact.Logins(v.Description), redact.Logins(v.Muted), redact.Logins(v.Standing)
}

// isAt reports whether a source, a file and a line, is the place that somebody means, or in the file. Of either path the
// beginning may be left out.
func isAt(source, asked string) bool {
	file, line, named := strings.Cut(asked, ".toml")
	switch {
	case !named || file == "" || line != "" && line[0] != ':':
		return false
	case line == "" || line == ":":
		source, asked = strings.TrimRight(source, ":0123456789"), file+".toml"
	}
	return source == asked || strings.HasSuffix(source, "/"+asked) || strings.HasSuffix(asked, "/"+source)
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
