package match

import (
	"slices"
	"strings"
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
		{"what only looks like the end of a class", `*\[1] 50[0-9]*`, " 50"},
		{"nor like that of alternatives", "*}{abc,def}*x", "x"},
		{"a star has none", "*", ""},
		{"of a regular expression", `/disk \d+ failed/`, " failed"},
		{"in a group, and more than once", `/(?:x|y)(broken)+/`, "broken"},
		{"one of each alternative", `/^(foo|bart+): /`, "foo,bar"},
		{"not where an alternative has none", `/(foo|b*): ?/`, ":"},
		{"not where the case does not matter", `/(?i)foo/`, ""},
		{"not of what may be missing", `/(?:foo)?b/`, "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := CompileLine(c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(p.needles, ","); got != c.want {
				t.Errorf("needles %q", got)
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
		pattern := rapid.StringMatching(`([abc*?]|\[ab\]|\[a-b\]|\{a,bc\}|\\\*|\\a|\\\[|\]|\}){0,6}|/([abc.]|\(a\|b\)|a\?|b\+|\(bc\)\+){1,5}/`).Draw(t, "pattern")
		text := rapid.StringMatching(`[abc*\[\]}-]{0,8}`).Draw(t, "text")
		p, err := CompileLine(pattern)
		if err != nil {
			t.Skip(err)
		}
		holds := func(needle string) bool { return strings.Contains(text, needle) }
		if p.Match(text) && p.needles != nil && !slices.ContainsFunc(p.needles, holds) {
			t.Fatalf("%q matches %q without any of %q", pattern, text, p.needles)
		}
	})
}
