package silence

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline/pipetest"
)

// TestASilenceHasItsBounds: a thousand of them must not fill memory, disk and log.
func TestASilenceHasItsBounds(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	labels := func(n, size int) map[string]config.Strings {
		m := map[string]config.Strings{}
		for i := range n {
			m[fmt.Sprintf("l%03d", i)] = config.Strings{long(size)}
		}
		return m
	}
	until := now.Add(time.Hour)
	for want, one := range map[string]Silence{
		"reason: it has 501 bytes; at most 500":                        {Match: match("a", "b"), Until: until, Reason: long(501)},
		"by: it has 501 bytes":                                         {Match: match("a", "b"), Until: until, By: long(501)},
		"process.command: it has 501 bytes":                            {Match: match("a", "b"), Process: Process{PID: 1, Command: long(501)}},
		"match: it has 51 labels; at most 50":                          {Match: labels(51, 1), Until: until},
		"match.a: a name or pattern has 1025 bytes; at most 1024":      {Match: match("a", long(1025)), Until: until},
		"match." + long(40) + ": a name or pattern has 1025 bytes":     {Match: match(long(1025), "b"), Until: until},
		"match: it has 101 patterns; at most 100":                      {Match: map[string]config.Strings{"a": make([]string, 101)}, Until: until},
		"match: its labels and patterns have 8224 bytes; at most 8192": {Match: labels(8, 1024), Until: until},
	} {
		_, err := New(nil).Add(one, now)
		pipetest.WantError(t, err, want)
	}
	for name, fine := range map[string]Silence{
		"long texts":  {Match: match("a", "b"), Until: until, Reason: long(500), By: long(500)},
		"many labels": {Match: labels(50, 100), Until: until},
		"a long one":  {Match: match(long(1024), long(1024)), Until: until},
	} {
		if _, err := New(nil).Add(fine, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := New(func(*Process) bool { return true })
	one, err := s.Add(Silence{Match: match("a", "b"), Process: Process{PID: 1}}, now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Follow(one.ID, Process{PID: 2, Command: long(501)})
	pipetest.WantError(t, err, "process.command")
}
