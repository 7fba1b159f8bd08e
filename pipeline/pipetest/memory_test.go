package pipetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"catpaw/pipeline"
)

// counter remembers how often it ran well.
type counter struct{ fails bool }

func (c *counter) Init() error { return nil }

func (c *counter) Gather(_ context.Context, r *pipeline.Report) error {
	seen := string(r.Recall())
	r.Add(pipeline.Event{Labels: pipeline.L("check", "c"), Description: seen})
	r.Remember([]byte(seen + "."))
	if c.fails {
		return errors.New("it went wrong")
	}
	return nil
}

func TestAMemoryLastsOverRunsAndRestartsButNotOverFailures(t *testing.T) {
	t.Parallel()
	m := NewMemory(&counter{})
	got := []string{m.Gather(t)[0].Description, m.Gather(t)[0].Description}
	m.Restart(&counter{fails: true})
	events, err := m.TryGather(t)
	if err == nil || m.RunEnd.Well {
		t.Errorf("a run that fails: %v, %+v", err, m.RunEnd)
	}
	got = append(got, events[0].Description)
	m.Restart(&counter{})
	got = append(got, m.Gather(t)[0].Description)
	if want := `["" "." ".." ".."]`; fmt.Sprintf("%q", got) != want {
		t.Errorf("recalled %q, want %s", got, want)
	}
	if plain := Gather(t, &counter{})[0].Description; plain != "" {
		t.Errorf("one look alone recalls %q", plain)
	}
}
