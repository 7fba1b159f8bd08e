package printable

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" two\r\n lines\t":       "two lines",
		"\x1b[31mred\x00\u009bx": "·[31mred··x",
		"not \xff UTF-8":         "not \uFFFD UTF-8",
		"中文":                     "中文",
	} {
		if got := Line(text, 100); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestLinesStayLines(t *testing.T) {
	t.Parallel()
	if got := Lines("a\n\tb\r\x1b[2J\xff"); got != "a\n\tb··[2J\uFFFD" {
		t.Errorf("%q", got)
	}
}

func TestCutKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("é", 300), strings.Repeat("\xff", 300), strings.Repeat("中", 99)} {
		for max := range 120 {
			if got := Cut(text, max); len(got) > max || !utf8.ValidString(got) {
				t.Fatalf("cut to %d: %q", max, got)
			}
			if got := Head(text, max); len(got) > max {
				t.Fatalf("head of %d: %q", max, got)
			}
		}
	}
	if got := Cut(strings.Repeat("x", 300), 100); !strings.HasSuffix(got, "x… (232 bytes left out)") {
		t.Errorf("%q", got)
	}
}
