package agent

import (
	"context"
	"testing"
)

// TestWhoStartsAnAgentHearsWhenItRuns, and of a faulty configuration instead of it.
func TestWhoStartsAnAgentHearsWhenItRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config string
		runs   bool
	}{
		"a good configuration":         {"[[outputs.stdout]]\n[log]\nlevel = 'error'\n", true},
		"one with a fault":             {"[globl]\n", false},
		"a log that cannot be written": {"[log]\noutput = '/proc/self'\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := confd(t, map[string]string{"config.toml": c.config, "p.net/a.toml": netOne})
			s.StateDir = t.TempDir()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			runs := false
			err := Run(ctx, s, nil, func() { runs = true; stop() })
			if runs != c.runs || (err == nil) != c.runs {
				t.Errorf("it ran: %v, and ended with %v", runs, err)
			}
		})
	}
}
