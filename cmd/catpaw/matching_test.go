package main

import (
	"testing"

	"catpaw/agent/api"
	"catpaw/internal/config"
)

// TestMatchesAreReadAsTheyAreMeant: also labels and values that hold what --match itself is made of.
func TestMatchesAreReadAsTheyAreMeant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"check=disk*":        {"check", "disk*"},
		" check = disk * ":   {"check", "disk *"},
		"url=http://a?b=c":   {"url", "http://a?b=c"},
		"gone=":              {"gone", ""},
		`gone=""`:            {"gone", ""},
		`dev=" sda "`:        {"dev", " sda "},
		`"a=b"=c`:            {"a=b", "c"},
		`"a=b" = "c=d"`:      {"a=b", "c=d"},
		`" a "=*`:            {" a ", "*"},
		`says="it is "big""`: {"says", `it is "big"`},
		`inch=19"`:           {"inch", `19"`},
		`inch="`:             {"inch", `"`},
		`path="\*"`:          {"path", `\*`},
	} {
		if label, glob, ok := cutMatch(text); !ok || label != want[0] || glob != want[1] {
			t.Errorf("%s: %q = %q, %v", text, label, glob, ok)
		}
	}
	for _, one := range [][2]string{{"check", "disk*"}, {"a=b", " c "}, {" a ", ""}, {"says", `"it"`}, {"says", `it is "big"`}, {"inch", `"`}, {"x", "a or b"}, {"x, y", "p, q"}} {
		shown := (&api.Silence{Match: map[string]config.Strings{one[0]: {one[1]}}}).Matching() // as list, answers and log show it
		if label, glob, ok := cutMatch(shown); !ok || label != one[0] || glob != one[1] {
			t.Errorf("%q = %q is shown as %s, which is taken for %q = %q", one[0], one[1], shown, label, glob)
		}
	}
	for _, wrong := range []string{"", "check", "=x", " = x", `""=x`, `"a"b=c`, `"a=b`, `"a"`} {
		if label, glob, ok := cutMatch(wrong); ok {
			t.Errorf("%q is taken for %q = %q", wrong, label, glob)
		}
	}
}
