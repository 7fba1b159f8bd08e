package linefilter

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEachFindsWhatMatches compares with matching line by line.
func TestEachFindsWhatMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.SampledFrom([]string{"*ab*", "a", "", "*", "b*", "*c", "a?c*", "/b+c/", "/^a/", "[ab]*"})
		o := Options{FilterInclude: rapid.SliceOfN(pattern, 0, 3).Draw(t, "include"), FilterExclude: rapid.SliceOfN(pattern, 0, 2).Draw(t, "exclude")}
		if o.Compile() != nil {
			t.Skip()
		}
		text := rapid.StringMatching(`[abc\n\r]{0,40}`).Draw(t, "text")
		var want, got []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"); o.Match(line) {
				want = append(want, line)
			}
		}
		o.Each([]byte(text), func(line []byte) { got = append(got, string(line)) })
		if !slices.Equal(got, want) {
			t.Fatalf("%q with %q but %q: found %q, want %q", text, o.FilterInclude, o.FilterExclude, got, want)
		}
	})
}

func BenchmarkEach(b *testing.B) {
	line := strings.Repeat("all is well with this line of a log, ", 3) + "\n"
	text := []byte(strings.Repeat(strings.Repeat(line, 999)+"this one is CRITICAL\n", 8))
	many := []string{"*CRITICAL*"}
	for _, word := range strings.Fields("panic segfault oops refused denied corrupt broken expired overrun underrun deadlock leaked aborted killed hung stuck lost dropped failed") {
		many = append(many, "*"+word+"*")
	}
	for name, include := range map[string][]string{
		"one glob": {"*CRITICAL*"}, "20 globs": many, "every line": {"[t]*CRITICAL"},
		"5 regexps": {`/CRIT[A-Z]+$/`, `/disk \d+ failed/`, `/time[ -]out/`, `/(?:panic|oops): /`, `/^fatal:/`},
	} {
		b.Run(name, func(b *testing.B) {
			o := Options{FilterInclude: include}
			if err := o.Compile(); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			n := 0
			for b.Loop() {
				o.Each(text, func([]byte) { n++ })
			}
			if n == 0 || bytes.Count(text, []byte("CRITICAL")) == 0 {
				b.Error("nothing was found")
			}
		})
	}
}
