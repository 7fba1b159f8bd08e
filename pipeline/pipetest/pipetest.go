// Package pipetest helps the tests of inputs and outputs.
package pipetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Options decodes TOML into a plugin's option struct as the agent does, and fails the test on a fault.
func Options(t testing.TB, text string, plugin interface{ Init() error }) {
	t.Helper()
	if err := TryOptions(text, plugin); err != nil {
		t.Fatalf("these options should be good:\n%s\nerror: %v", text, err)
	}
}

// TryOptions decodes and initialises a plugin and returns all faults, each as "test.toml:LINE: …".
func TryOptions(text string, plugin interface{ Init() error }) error {
	node, err := config.Parse("test.toml", text)
	if err != nil {
		return err
	}
	var errs config.Errors
	config.Decode(node, &errs, plugin)
	if len(errs) == 0 {
		errs.AddInit(node, plugin.Init())
	}
	return errs.Err()
}

// WantError fails the test unless err holds every one of the pieces.
func WantError(t testing.TB, err error, pieces ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, but one with %q was due", pieces)
	}
	for _, piece := range pieces {
		if !strings.Contains(err.Error(), piece) {
			t.Errorf("error %q does not say %q", err, piece)
		}
	}
}

// Gather runs an input once, with a minute's deadline, and returns its events.
func Gather(t testing.TB, input pipeline.Input) []*pipeline.Event {
	t.Helper()
	events, _, err := GatherEnd(t, input)
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	return events
}

// GatherEnd is Gather for tests that also look at how the run ended.
func GatherEnd(t testing.TB, input pipeline.Input) ([]*pipeline.Event, pipeline.RunEnd, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return pipeline.Look(ctx, Check(input))
}

// Check wraps an input in a check with the default policy.
func Check(input pipeline.Input) *pipeline.Check {
	return &pipeline.Check{ID: "test/1", Plugin: "test", Source: "test.toml:1", Interval: time.Minute,
		Policy: pipeline.DefaultPolicy(), Input: input}
}

// Find returns the one event whose check label (and target label, where not "") is as given.
func Find(t testing.TB, events []*pipeline.Event, check, target string) *pipeline.Event {
	t.Helper()
	var found *pipeline.Event
	for _, e := range events {
		if e.Labels.Get("check") == check && (target == "" || e.Labels.Get("target") == target) {
			if found != nil {
				t.Fatalf("two events for check %q, target %q", check, target)
			}
			found = e
		}
	}
	if found == nil {
		t.Fatalf("no event for check %q, target %q among %d", check, target, len(events))
	}
	return found
}

// Message makes a message as the commit point would, with everything set that the test did not.
func Message(e pipeline.Event) *pipeline.Message {
	if e.Time == 0 {
		e.Time = 1734339605
	}
	if e.Status == pipeline.Bad {
		e.Status = pipeline.Warning
	}
	if e.AlertKey == "" {
		e.AlertKey = "4f1b21a435253bf868a1249d3ba7715f"
	}
	if e.Labels == nil {
		e.Labels = pipeline.L("check", "test check", "target", "somewhere")
	}
	if e.TitleRule == "" {
		e.TitleRule = "$check"
	}
	if e.ID == "" {
		e.ID = "0193c0ffee00000000000000000000ff"
	}
	if e.FirstFireTime == 0 {
		e.FirstFireTime = e.Time
	}
	if e.NotifyCount == 0 {
		e.NotifyCount = 1
	}
	return pipeline.NewMessage(&e)
}
