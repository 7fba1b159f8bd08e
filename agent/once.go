package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"catpaw/pipeline"
	"catpaw/processors/labels"
)

// onceChecks is how many checks Once runs at a time. Each may look at many targets by itself.
const onceChecks = 16

// Once runs every check one time, without alerting and without outputs, and returns what each found, in
// the order of the configuration; within a check by labels.
func Once(ctx context.Context, checks []*pipeline.Check) []*pipeline.Event {
	found := make([][]*pipeline.Event, len(checks))
	var running sync.WaitGroup
	slots := make(chan struct{}, onceChecks)
	for i, check := range checks {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = lookOnce(ctx, check)
		})
	}
	running.Wait()
	return slices.Concat(found...)
}

func lookOnce(ctx context.Context, check *pipeline.Check) []*pipeline.Event {
	events, _, err := pipeline.Look(ctx, check)
	if err != nil {
		events = append(events, &pipeline.Event{
			Time: time.Now().Unix(), Status: pipeline.Status(check.Policy.DefaultSeverity), TitleRule: "$check",
			Labels: pipeline.FailureLabels(check), Description: pipeline.FailureText(check, err),
		})
	}
	batch := &pipeline.Batch{}
	for _, event := range events {
		batch.Results = append(batch.Results, pipeline.Result{Run: &pipeline.Run{Check: check}, Event: event})
	}
	labels.New().Process(batch)
	slices.SortStableFunc(events, func(a, b *pipeline.Event) int {
		return strings.Compare(a.Labels.String(), b.Labels.String())
	})
	return events
}
