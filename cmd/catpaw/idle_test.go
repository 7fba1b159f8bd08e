package main

import (
	"regexp"
	"testing"
)

// TestWhatWatchesNothingIsNotGreen: it is shown, with why, and is no check.
func TestWhatWatchesNothingIsNotGreen(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	write(t, dir, map[string]string{"p.ping/a.toml": "[[instances]]\ntargets = []\n[[instances]]\n"})
	wantAll(t, asks(t, "check", "-configs", dir), "p.ping/a.toml:1", "p.ping/a.toml:3", "nothing: targets is empty", "is good: 1 check, ")
	asks(t, "reload", "-configs", dir)
	row := regexp.MustCompile(`(?m)^- +ping +\S+p\.ping/a\.toml:3 .* nothing: targets is empty$`)
	if text := asks(t, "status", "-configs", dir); !row.MatchString(text) {
		t.Errorf("it is shown as\n%s", text)
	}
	wantAll(t, asks(t, "status", "-configs", dir, "--json"), `"idle":[{"plugin":"ping"`)
}
