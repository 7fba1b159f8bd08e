package pipeline

import (
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestAFailureIsToldOnceUntilItChangesOrEnds(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	log := zap.New(core)
	var s story
	steps := []struct {
		shard int
		err   string // "" = it worked
		lines int    // in the log, so far
	}{
		{0, "", 0}, {0, "refused", 1}, {0, "refused", 1}, {1, "refused", 1}, {2, "", 1}, // others work meanwhile
		{0, "503", 2}, {1, "refused", 2}, {1, "503", 2}, {0, "", 2}, {0, "", 2}, {1, "", 3}, {1, "refused", 4},
	}
	for i, step := range steps {
		if step.err == "" {
			s.worked(log, step.shard, true, true)
		} else {
			s.failed(log, step.shard, errors.New(step.err))
		}
		if logs.Len() != step.lines {
			t.Fatalf("after step %d: %d lines, want %d", i, logs.Len(), step.lines)
		}
	}
}
