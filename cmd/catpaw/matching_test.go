package main

import "testing"

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
	for _, wrong := range []string{"", "check", "=x", " = x", `""=x`, `"a"b=c`, `"a=b`, `"a"`} {
		if label, glob, ok := cutMatch(wrong); ok {
			t.Errorf("%q is taken for %q = %q", wrong, label, glob)
		}
	}
}
