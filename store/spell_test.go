package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestTroubleThatComesAndGoesIsOne: what the log says, and whether it is seen to recur. Of a step, x is a trouble
// and o its end, with the seconds until then; ! asks whether it recurs.
func TestTroubleThatComesAndGoesIsOne(t *testing.T) {
	t.Parallel()
	const fast = 80
	for _, c := range []struct{ name, steps, log string }{
		{"one trouble", "0x 5o 0! 90!", "ERROR INFO; no no"},
		{"it stays", "0x 5x 600x 0!", "ERROR; no"},
		{"it comes back", "0x 1o 1x 0! 1o 0!", "ERROR INFO ERROR; 2 2"},
		{"it comes back, and is over", "0x 1o 1x 1o 59! 2!", "ERROR INFO ERROR INFO(2 times); 2 no"},
		{"it comes back again and again", "0x 1o" + strings.Repeat(" 1x 0o", fast) + " 0! 61!", "ERROR INFO ERROR INFO(81 times); 81 no"},
		{"it comes back and stays", "0x 1o 1x 1o 1x 3600!", "ERROR INFO ERROR; 3"},
		{"another, long after", "0x 1o 90x 1o 0! 90!", "ERROR INFO ERROR INFO; no no"},
		{"it comes back as another trouble", "0x 1o 1x 1o 1r 1o 1x", "ERROR INFO ERROR ERROR; "},
		{"it becomes another trouble", "0x 1r 1x 1r 1o", "ERROR ERROR INFO; "},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.InfoLevel)
				s := newStore(Config{Dir: "somewhere", Log: zap.New(core)})
				var recurs []string
				for step := range strings.SplitSeq(c.steps, " ") {
					what := step[len(step)-1:]
					after, _ := time.ParseDuration(strings.TrimSuffix(step, what) + "s")
					time.Sleep(after)
					switch what {
					case "x":
						s.troubled(syscall.ENOSPC)
					case "r":
						s.troubled(syscall.EROFS)
					case "o":
						s.mended()
					case "!":
						recurs = append(recurs, recurring(s))
					}
					s.calm()
				}
				var lines []string
				for _, line := range logs.All() {
					text := line.Level.CapitalString()
					if times, ok := line.ContextMap()["times"]; ok {
						text += fmt.Sprintf("(%d times)", times)
					}
					lines = append(lines, text)
				}
				if got := strings.Join(lines, " ") + "; " + strings.Join(recurs, " "); got != c.log {
					t.Errorf("%q, want %q", got, c.log)
				}
			})
		})
	}
}

func recurring(s *Store) string {
	if trouble := s.Recurring(); trouble != nil {
		return fmt.Sprint(trouble.Times)
	}
	return "no"
}

// TestTroublesThatAllDifferDoNotFillTheLog, as where a message has a number in it.
func TestTroublesThatAllDifferDoNotFillTheLog(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	s := newStore(Config{Dir: "somewhere", Log: zap.New(core)})
	for i := range 100 {
		s.troubled(errors.New(fmt.Sprint("trouble ", i)))
	}
	if n := logs.Len(); n != mostTold {
		t.Errorf("%d lines", n)
	}
	if s.Trouble().Text != "trouble 99" {
		t.Errorf("the trouble is %q", s.Trouble().Text)
	}
}
