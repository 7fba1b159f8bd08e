package pipeline

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

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

// TestASinkWhoseErrorsDifferEveryTimeDoesNotFillTheLog, as of one that repeats a request's number.
func TestASinkWhoseErrorsDifferEveryTimeDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		var s story
		for i := range 600 {
			s.failed(zap.New(core), 0, fmt.Errorf("request %d failed", i))
			time.Sleep(time.Second)
		}
		if n := logs.Len(); n != 50 {
			t.Errorf("%d lines in ten minutes", n)
		}
		if h := s.health(); h.LastError != "request 599 failed" {
			t.Errorf("the last error is %q", h.LastError)
		}
	})
}
