package match

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTheSearcherFindsTheFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[abc]{1,5}`), 1, 6).Draw(t, "texts")
		data := rapid.StringMatching(`[abcd]{0,40}`).Draw(t, "data")
		want := -1
		for _, text := range texts {
			if i := strings.Index(data, text); i >= 0 && (want < 0 || i < want) {
				want = i
			}
		}
		if got := NewSearcher(texts).Index([]byte(data)); got != want {
			t.Fatalf("%q in %q: %d, want %d", texts, data, got, want)
		}
	})
}

func TestTextsLongerThanAnyWindow(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ab", 400)
	s := NewSearcher([]string{long + "x", long + "y"})
	if got := s.Index([]byte("abab" + long + "y")); got != 4 {
		t.Errorf("found at %d", got)
	}
	if NewSearcher(nil) != nil || NewSearcher([]string{"a", ""}) != nil {
		t.Error("a searcher for nothing")
	}
}
