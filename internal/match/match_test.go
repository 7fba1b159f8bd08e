package match

import (
	"strings"
	"testing"

	"github.com/gobwas/glob"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, pattern, text string
		want                bool
	}{
		{"a word is exact", "200", "200", true},
		{"a word is not a part", "200", "2000", false},
		{"the empty pattern is the empty text", "", "", true},
		{"the empty pattern is no other text", "", "a", false},
		{"a star at the end is a prefix", "20*", "204", true},
		{"a prefix must begin the text", "20*", "120", false},
		{"a star at the start is a suffix", "*error", "fatal error", true},
		{"a suffix must end the text", "*error", "error 1", false},
		{"stars around are a substring", "*full, dropping*", "table full, dropping packets", true},
		{"a comma is only a comma", "*full, dropping*", "table full", false},
		{"a star alone matches all", "*", "anything\nat all", true},
		{"a star crosses slashes and dots", "/var/*.log", "/var/a.b/c.log", true},
		{"a question mark is one character", "20?", "201", true},
		{"a question mark is not none", "20?", "20", false},
		{"a question mark is one character of any width", "?", "é", true},
		{"a class is one of its characters", "[45]0?", "503", true},
		{"a negated class is any other", "[!45]0?", "503", false},
		{"braces in a glob are alternatives", "{foo,bar}*", "barrel", true},
		{"braces alone mean themselves", "{foo,bar}", "foo", false},
		{"braces alone mean themselves, exactly", "{foo,bar}", "{foo,bar}", true},
		{"an escaped star is a star", `a\*b*`, "a*bc", true},
		{"an escaped star is nothing else", `a\*b*`, "axbc", false},
		{"stars in the middle", "a*b*c", "a1b2c", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Compile(c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(c.text); got != c.want {
				t.Errorf("%q on %q: %v", c.pattern, c.text, got)
			}
			if p.String() != c.pattern {
				t.Errorf("String() = %q", p)
			}
		})
	}
}

func TestAGlobSeesTheFirst16KiB(t *testing.T) {
	t.Parallel()
	p, err := Compile("*needle*")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Match(strings.Repeat("x", MaxText-6) + "needle" + strings.Repeat("x", MaxText)) {
		t.Error("the needle within the bound was not found")
	}
	if p.Match(strings.Repeat("x", MaxText) + "needle") {
		t.Error("more than the bound was looked at")
	}
	if text := head(strings.Repeat("x", MaxText-1) + "é"); len(text) != MaxText-1 {
		t.Errorf("cut in the middle of a character: %d bytes", len(text))
	}
	if text := head(strings.Repeat("\x80", 2*MaxText)); len(text) > MaxText || len(text) < MaxText-4 {
		t.Errorf("of bytes that are no characters %d are kept", len(text))
	}
}

func TestAWrongGlobSaysWhere(t *testing.T) {
	t.Parallel()
	_, err := Compile("a*[b")
	if err == nil || !strings.Contains(err.Error(), `"a*[b"`) {
		t.Errorf("error: %v", err)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	set, err := CompileSet([]string{"200", "30*", "*full, dropping*"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"200": true, "304": true, "is full, dropping it": true, "404": false, "full": false} {
		if set.Match(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	var none *Set
	if none.Match("") || none.Len() != 0 || set.Len() != 3 {
		t.Error("the nil set matches, or a length is wrong")
	}
}

func TestASetNamesEveryWrongPattern(t *testing.T) {
	t.Parallel()
	_, err := CompileSet([]string{"a*", "[", "b", "{c*"})
	faults := Faults(err)
	if len(faults) != 2 || faults[0].Index != 1 || faults[1].Index != 3 {
		t.Fatalf("faults: %v", err)
	}
	if !strings.Contains(faults[0].Error(), "pattern 2: the glob") {
		t.Errorf("error: %v", faults[0])
	}
	if Faults(nil) != nil {
		t.Error("no error has faults")
	}
}

// The plain searches must agree with the globs that they stand for.
func FuzzPlainSearchesAgreeWithGlobs(f *testing.F) {
	for _, pattern := range []string{"*", "**", "a*", "*a", "*a*", "*a, b*", "a*b", "*\xff", "*!-^]*", "*é*", "*\\*"} {
		for _, text := range []string{"", "a", "ab", "a, b", "\xff", "xé", "!-^]"} {
			f.Add(pattern, text)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		fast := simple(pattern)
		if fast == nil || !strings.Contains(pattern, "*") || len(text) > 1000 {
			return
		}
		slow, err := glob.Compile(pattern)
		if err != nil {
			t.Fatalf("the glob %q does not compile (%v) but has a plain search", pattern, err)
		}
		if fast(text) != slow.Match(text) {
			t.Errorf("%q on %q: plain search %v, glob %v", pattern, text, fast(text), slow.Match(text))
		}
	})
}

func FuzzCompileNeverPanics(f *testing.F) {
	f.Add("a*[b", "ab")
	f.Add("{a,{b*,c}}", "c")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 100 || len(text) > 200 {
			return
		}
		if p, err := Compile(pattern); err == nil {
			p.Match(text)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	line := strings.Repeat("kernel: nothing to see here ", 10) + "table full, dropping packet"
	for name, pattern := range map[string]string{"plain": "*table full, dropping*", "glob": "*table ?ull, dropping*"} {
		b.Run(name, func(b *testing.B) {
			p, err := Compile(pattern)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				p.Match(line)
			}
		})
	}
}
