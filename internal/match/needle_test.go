package match

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNeedles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, pattern, want string }{
		{"a word is its own", "exact", "exact"},
		{"what stands between stars", "*CRITICAL*", "CRITICAL"},
		{"the longest of several", "*error*of the disk?*", "of the disk"},
		{"nothing of a class or of alternatives", "*a[bcdef]{ghijkl,m}no*", "no"},
		{"nothing of what is escaped", `*ab\*c*`, "ab"},
		{"a star has none", "*", ""},
		{"of a regular expression", `/disk \d+ failed/`, " failed"},
		{"in a group, and more than once", `/(?:x|y)(broken)+/`, "broken"},
		{"not of alternatives", `/foo|bar/`, ""},
		{"not where the case does not matter", `/(?i)foo/`, ""},
		{"not of what may be missing", `/(?:foo)?b/`, "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := CompileLine(c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if p.Needle() != c.want {
				t.Errorf("needle %q", p.Needle())
			}
		})
	}
	set, _ := CompileLines([]string{"*a*", "*"})
	if set.Needles() != nil {
		t.Error("a set with a pattern that has none")
	}
	set, _ = CompileLines([]string{"*a*", "b"})
	if !slices.Equal(set.Needles(), []string{"a", "b"}) {
		t.Error(set.Needles())
	}
}

// TestWhatMatchesHoldsTheNeedle tries patterns and texts of few letters, so that many match.
func TestWhatMatchesHoldsTheNeedle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`([abc*?]|\[ab\]|\{a,bc\}|\\\*|\\a){0,6}|/([abc.]|\(a\|b\)|a\?|b\+|\(bc\)\+){1,5}/`).Draw(t, "pattern")
		text := rapid.StringMatching(`[abc*]{0,8}`).Draw(t, "text")
		p, err := CompileLine(pattern)
		if err != nil {
			t.Skip(err)
		}
		if p.Match(text) && !contains(text, p.Needle()) {
			t.Fatalf("%q matches %q without its needle %q", pattern, text, p.Needle())
		}
	})
}

func contains(text, needle string) bool {
	for i := range len(text) + 1 {
		if i+len(needle) <= len(text) && text[i:i+len(needle)] == needle {
			return true
		}
	}
	return false
}
