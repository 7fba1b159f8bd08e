package pipetest

import (
	"context"
	"testing"
	"time"

	"catpaw/pipeline"
)

// Memory runs an input again and again, as the agent does, with what it remembers from run to run.
type Memory struct {
	Memo   []byte          // what the input will recall; nil = nothing, as at the very first run
	RunEnd pipeline.RunEnd // of the last run

	input pipeline.Input
}

// NewMemory begins with an empty memory.
func NewMemory(input pipeline.Input) *Memory { return &Memory{input: input} }

// Restart puts a new input, set up from the same options, in the place of the old one: what is left is
// the memory, as after a restart of the agent.
func (m *Memory) Restart(input pipeline.Input) { m.input = input }

// Gather runs the input once, with a minute's deadline, and returns its events.
func (m *Memory) Gather(t testing.TB) []*pipeline.Event {
	t.Helper()
	events, err := m.TryGather(t)
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	return events
}

// TryGather is Gather for tests of runs that go wrong; such a run leaves the memory as it was.
func (m *Memory) TryGather(t testing.TB) ([]*pipeline.Event, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	events, end, memo, err := pipeline.LookAgain(ctx, Check(m.input), m.Memo)
	m.Memo, m.RunEnd = memo, end
	return events, err
}
