package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"catpaw/pipeline"
	"catpaw/processors/labels"
)

// Sent is the verdict of one output on one test event.
type Sent struct {
	Output string
	Event  string // "test event" or "its recovery"
	Took   time.Duration
	Err    error
}

// SendTest sends a test event and its recovery through the real outputs, past their queues, and tells
// each verdict. name is one output, or "" for all.
func SendTest(ctx context.Context, c *Configuration, name string, tell func(Sent)) error {
	var outputs []*pipeline.OutputSpec
	for _, output := range c.Outputs {
		if name == "" || output.Name == name {
			outputs = append(outputs, output)
		}
	}
	if len(outputs) == 0 {
		var known []string
		for _, output := range c.Outputs {
			known = append(known, output.Name)
		}
		return fmt.Errorf("there is no output %q; there are: %s", name, strings.Join(known, ", "))
	}
	now := time.Now()
	for _, output := range outputs {
		for _, event := range []*pipeline.Event{testEvent(c, pipeline.Info, now), testEvent(c, pipeline.Ok, now)} {
			what := "test event"
			if event.Status == pipeline.Ok {
				what = "its recovery"
			}
			begun := time.Now()
			err := sendOne(ctx, output, event)
			tell(Sent{output.Name, what, time.Since(begun), err})
			if err != nil && event.Status != pipeline.Ok {
				tell(Sent{output.Name, "its recovery", 0, errors.New("not tried, since the test event did not arrive")})
				break
			}
		}
		if err := output.Output.Close(); err != nil {
			return err
		}
	}
	return nil
}

func sendOne(ctx context.Context, output *pipeline.OutputSpec, event *pipeline.Event) error {
	ctx, cancel := context.WithTimeout(ctx, output.Timeout)
	defer cancel()
	verdicts := output.Output.Write(ctx, []*pipeline.Message{pipeline.NewMessage(event)})
	if len(verdicts) == 0 {
		return nil
	}
	return verdicts[0]
}

func testEvent(c *Configuration, status pipeline.Status, now time.Time) *pipeline.Event {
	event := &pipeline.Event{
		ID: pipeline.NewIDs(rand.Reader).Next(now), Time: now.Unix(), Status: status, TitleRule: "$check",
		Labels:        pipeline.Merge(pipeline.L("check", "catpaw test"), mergeLabels("catpaw", c.Labels)),
		FirstFireTime: now.Unix(), NotifyCount: 1,
		Description: "[MD]\n- **test**: sent by `catpaw send`; nothing is wrong",
	}
	event.AlertKey = labels.Key(event.Labels)
	return event
}
