package match

import (
	"strings"
	"testing"
)

func TestLinePatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, pattern, text string
		want                bool
	}{
		{"between slashes is a regular expression", `/time[ -]?out/`, "read timeout after 3 s", true},
		{"a regular expression must be found", `/time[ -]?out/`, "all is well", false},
		{"it may be anchored", `/^error/`, "an error", false},
		{"anything else is a glob", "*error*", "an error", true},
		{"or the whole line", "error", "an error", false},
		{"one slash is a slash", "/", "/", true},
		{"two slashes are two slashes", "//", "//", true},
		{"a path that ends otherwise is no regular expression", "/var/*", "/var/log", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set, err := CompileLines([]string{c.pattern})
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Match(c.text); got != c.want {
				t.Errorf("%q on %q: %v", c.pattern, c.text, got)
			}
		})
	}
	_, err := CompileLines([]string{"fine", "/(/", "["})
	if faults := Faults(err); len(faults) != 2 || faults[0].Index != 1 || !strings.Contains(faults[0].Error(), "missing closing )") {
		t.Errorf("error %v", err)
	}
}
