package pipeline

import (
	"errors"
	"fmt"
	"strings"
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
			s.judged(log, step.shard, true, 1, 0)
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

// TestOnlyADeliveryEndsAFailure: what the sink answers a minute apart, and since when the output fails by then. A word is
// the lane and the answer: 0ok, 0no (refused for good), 0some (of a batch it takes some and refuses some), 0503 (try
// again), 0- (nothing is left to try), 0x (what was refused is purged, and nothing waits).
func TestOnlyADeliveryEndsAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		answers string
		since   int // minutes from the first answer; -1 = it does not fail
		refuses bool
	}{
		{"it takes all", "0ok 0ok", -1, false},
		{"one event that it does not want", "0ok 0no 0ok 0ok", -1, false},
		{"such a one is the last", "0ok 0no", -1, false},
		{"such ones among others", "0ok 0no 0ok 0no 0ok 0no", -1, false},
		{"such ones in a batch", "0some 0some", -1, false},
		{"it refuses the first", "0no", 0, true},
		{"it refuses all since", "0ok 0no 1no 0no", 1, true},
		{"and takes one again", "0ok 0no 1no 1ok", -1, false},
		{"it is down", "0ok 0503 0503", 1, false},
		{"it was down", "0503 0503 0ok", -1, false},
		{"it is down, then refuses", "0ok 0503 1503 0no 1no", 1, true},
		{"it is down, then refuses one", "0ok 0503 0no", 1, true},
		{"it refuses, then is down", "0no 0503", 0, false},
		{"one that fails and is refused in the end, while others get through", "0503 1ok 0503 1ok 0no", -1, false},
		{"others got through, and then none", "0503 1ok 1no 1no 0no", 2, true},
		{"what failed is purged", "0ok 0503 0-", -1, false},
		{"what failed is purged, what came beside it was refused", "0ok 0503 1no 0-", 1, true},
		{"what it refused is purged", "0ok 0no 1no 0x", -1, false},
		{"the first was refused and is purged", "0no 0x", -1, false},
		{"what it refused is purged, and one more is refused", "0ok 0no 1no 0x 0no", -1, false},
		{"what it refused is purged, and more is refused", "0ok 0no 1no 0x 0no 1no", 4, true},
		{"it took none ever, and refuses more after the purge", "0no 0x 0no", 2, true},
		{"dead letters are purged while a lane fails", "0no 1503 0x", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.InfoLevel)
				log := zap.New(core)
				var s story
				begin := time.Now()
				for word := range strings.SplitSeq(c.answers, " ") {
					lane, answer := int(word[0]-'0'), word[1:]
					switch answer {
					case "ok":
						s.judged(log, lane, true, 1, 0)
					case "no":
						s.refuses(log, "key", errors.New("400"))
						s.judged(log, lane, true, 0, 1)
					case "some": // of a batch
						s.refuses(log, "key", errors.New("400"))
						s.judged(log, lane, true, 8, 2)
					case "x":
						s.forgiven(log)
					case "-":
						s.emptied(log, lane)
					default:
						s.failed(log, lane, errors.New(answer))
					}
					time.Sleep(time.Minute)
				}
				h, since := s.health(), -1
				if !h.FailsSince.IsZero() {
					since = int(h.FailsSince.Sub(begin) / time.Minute)
				}
				if again, failed := logs.FilterMessage("the sink takes events again").Len(), strings.Contains(c.answers, "503") || strings.Contains(c.answers, "no 1no"); again > 0 && !failed {
					t.Errorf("it takes events again, and always did")
				}
				if since != c.since || h.Refuses != c.refuses {
					t.Errorf("after %q it fails since minute %d (refuses: %v), want %d (%v)", c.answers, since, h.Refuses, c.since, c.refuses)
				}
			})
		})
	}
}
