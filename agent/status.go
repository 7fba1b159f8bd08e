package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors/alerting"
)

// Alert is a live alert, Story how it came to be what it is.
type (
	Alert = alerting.View
	Story = alerting.Story
)

// Status is how an agent is doing.
type Status struct {
	Version  string    `json:"version"`
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Config   Loaded    `json:"configuration"`
	LogLevel string    `json:"log_level"`
	State    StateDir  `json:"state"`

	Checks  []pipeline.CheckHealth `json:"checks"`
	Alerts  []Alert                `json:"alerts"`
	Outputs []QueueStatus          `json:"outputs"`
}

// Loaded is the configuration that an agent runs.
type Loaded struct {
	Directory string    `json:"directory"`
	Hash      string    `json:"hash"` // changes with every change of a check or an output
	At        time.Time `json:"read_at"`
	Warnings  []string  `json:"warnings,omitempty"`
	Refused   string    `json:"refused,omitempty"` // why the last reload was: what runs is older than the files
}

// StateDir is how the store of an agent is doing.
type StateDir struct {
	Directory string    `json:"directory"`
	Trouble   string    `json:"trouble,omitempty"`
	Since     time.Time `json:"since,omitzero"`
}

// Why is what an agent knows of an alert, a target or a check.
type Why struct {
	Asked   string                 `json:"asked"`
	Stories []Story                `json:"alerts"`
	More    int                    `json:"more,omitempty"` // stories that are left out
	Checks  []pipeline.CheckHealth `json:"checks"`         // those that report, or would report it
	Outputs []QueueStatus          `json:"outputs"`        // those that have something yet to deliver, or fail
}

func (a *Agent) status() (Status, error) {
	outputs, err := a.queues().List()
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Version: a.source.Version, PID: os.Getpid(), Started: a.started, LogLevel: a.level.String(),
		State: StateDir{Directory: a.stateDir}, Checks: a.pipeline.Checks(), Outputs: outputs,
	}
	if trouble := a.store.Trouble(); trouble != nil {
		s.State.Trouble, s.State.Since = trouble.Text, trouble.Since
	}
	a.mu.Lock()
	s.Config = a.loaded
	a.mu.Unlock()
	a.pipeline.Do(func(b *pipeline.Batch) { s.Alerts = a.alerting.Views(b.Now) })
	return s, nil
}

func (a *Agent) why(asked string) (Why, error) {
	asked = strings.TrimSpace(asked)
	if asked == "" {
		return Why{}, errors.New("say what is asked for: an alert key, a target or a check")
	}
	w := Why{Asked: asked, Checks: []pipeline.CheckHealth{}, Outputs: []QueueStatus{}}
	asked = a.checkAt(asked)
	a.pipeline.Do(func(b *pipeline.Batch) { w.Stories, w.More = a.alerting.Stories(asked, b.Now) })
	for _, check := range a.pipeline.Checks() {
		if a.concerns(check.ID, asked, w.Stories) {
			w.Checks = append(w.Checks, check)
		}
	}
	if len(w.Stories)+len(w.Checks) == 0 {
		return Why{}, fmt.Errorf("nothing is known of %q: no check looks at it, and no alert is or was lately open under that key, target or label", asked)
	}
	queues, err := a.queues().List()
	for _, queue := range queues {
		if queue.Queued > 0 || queue.LastFailure.After(queue.LastSuccess) {
			w.Outputs = append(w.Outputs, queue)
		}
	}
	return w, err
}

// concerns reports whether a check is asked for: by name, by what it looks at, or by the alerts it raised.
func (a *Agent) concerns(id, asked string, stories []Story) bool {
	if id == asked || slices.ContainsFunc(stories, func(s Story) bool { return s.Check == id }) {
		return true
	}
	a.mu.Lock()
	check := a.checks[id]
	a.mu.Unlock()
	if check == nil {
		return false
	}
	keyed, ok := check.Input.(pipeline.Keyed)
	return ok && slices.ContainsFunc(keyed.Keys(), func(own pipeline.Labels) bool {
		return slices.ContainsFunc(own, func(l pipeline.Label) bool { return l.Value == asked })
	})
}

// checkAt is the identity of the check that is configured at a place, or what was asked for.
func (a *Agent) checkAt(asked string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, check := range a.checks {
		if check.Source == asked {
			return id
		}
	}
	return asked
}

func (a *Agent) setLogLevel(text string) (before string, err error) {
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

// reloadNow has the agent's own goroutine reload, and returns what changed.
func (a *Agent) reloadNow(ctx context.Context) (changes Changes, err error) {
	done := make(chan struct{})
	select {
	case a.asks <- func() { defer close(done); changes, err = a.reload() }:
		<-done
		return changes, err
	case <-ctx.Done():
		return Changes{}, ctx.Err()
	}
}
