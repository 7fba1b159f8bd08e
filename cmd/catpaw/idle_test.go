package main

import (
	"regexp"
	"strings"
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

// TestWithNothingButWhatWatchesNothing it is said of each instance, and that no check is left.
func TestWithNothingButWhatWatchesNothing(t *testing.T) {
	t.Parallel()
	files := map[string]string{"config.toml": stdoutOnly}
	for _, probe := range []string{"exec", "mtime", "procnum", "sfilter"} {
		files["p."+probe+"/a.toml"] = "[[instances]]\n"
	}
	dir := confd(t, files)
	text := asks(t, "check", "-configs", dir)
	wantAll(t, text, "p.mtime/a.toml:1: directory is empty: this instance watches nothing", "p.procnum/a.toml:1: no search option is set: this",
		"p.sfilter/a.toml:1: command is empty: this", "p.exec/a.toml:1: commands is empty: this")
	if last := dir + " is good: 0 checks, 1 output; nothing is watched until an instance says what\n"; !strings.HasSuffix(text, last) {
		t.Errorf("it does not end in %q:\n%s", last, text)
	}
}
