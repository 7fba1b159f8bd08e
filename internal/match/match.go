// Package match is the globs of the configuration: which lines, status codes or labels are meant.
package match

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/glob"
)

// MaxText is how much of a text a glob looks at, in bytes. Some patterns cost the square of the
// text's length, so a hostile line must not be matched whole.
const MaxText = 16 << 10

// Pattern is one compiled pattern. It is safe for concurrent use.
type Pattern struct {
	source string
	match  func(text string) bool // given at most MaxText bytes; nil = the text must equal source
	// needles are texts of which every line that matches holds one; none = nobody knows.
	needles []string
}

// Compile reads a pattern. One with `*`, `?` or `[` is a glob over the whole text: `*` any text, `?`
// one character, `[a-z]` and `[!a-z]` one character of a class, `{a,b}` either, `\` before a character
// takes it as it is. Any other pattern, one with braces alone included, means exactly itself.
func Compile(pattern string) (*Pattern, error) {
	if !strings.ContainsAny(pattern, "*?[") {
		return &Pattern{source: pattern, needles: needleOf(pattern)}, nil
	}
	if fast := simple(pattern); fast != nil {
		return &Pattern{source: pattern, match: fast, needles: needleOf(literalOfGlob(pattern))}, nil
	}
	compiled, err := glob.Compile(pattern)
	if err != nil {
		return nil, explain(pattern, err)
	}
	return &Pattern{source: pattern, match: compiled.Match, needles: needleOf(literalOfGlob(pattern))}, nil
}

// simple returns a plain search for `*word*`, `word*` and `*word`, nil for any other glob.
func simple(pattern string) func(text string) bool {
	word, open := strings.CutPrefix(pattern, "*")
	word, more := strings.CutSuffix(word, "*")
	if strings.ContainsAny(word, `*?[]{}\`) || !utf8.ValidString(word) {
		return nil
	}
	switch {
	case open && more, open && word == "":
		return func(text string) bool { return strings.Contains(text, word) }
	case more:
		return func(text string) bool { return strings.HasPrefix(text, word) }
	default:
		return func(text string) bool { return strings.HasSuffix(text, word) }
	}
}

// explain says where a pattern is wrong.
func explain(pattern string, err error) error {
	var syntax *glob.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the glob %q is wrong at byte %d: %s", pattern, syntax.Offset, syntax.Reason)
	}
	return fmt.Errorf("the glob %q is wrong: %w", pattern, err)
}

// Match reports whether the text matches. Of a longer text a glob sees the first MaxText bytes.
func (p *Pattern) Match(text string) bool {
	if p.match == nil {
		return text == p.source
	}
	return p.match(head(text))
}

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.source }

// head cuts a text to MaxText bytes, at a whole character.
func head(text string) string {
	if len(text) <= MaxText {
		return text
	}
	end := MaxText
	for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Set is a list of patterns, any of which may match. The nil set is empty.
type Set struct{ patterns []*Pattern }

// PatternError is a pattern of a list that does not compile.
type PatternError struct {
	Index int // in the list
	Err   error
}

func (e *PatternError) Error() string { return fmt.Sprintf("pattern %d: %v", e.Index+1, e.Err) }

// Unwrap returns what is wrong with the pattern.
func (e *PatternError) Unwrap() error { return e.Err }

// CompileSet reads a list of patterns. The error joins a PatternError for each that is wrong; Faults
// takes it apart.
func CompileSet(patterns []string) (*Set, error) { return compileEach(patterns, Compile) }

func compileEach(patterns []string, compile func(string) (*Pattern, error)) (*Set, error) {
	set := &Set{patterns: make([]*Pattern, 0, len(patterns))}
	var errs []error
	for i, pattern := range patterns {
		compiled, err := compile(pattern)
		if err != nil {
			errs = append(errs, &PatternError{Index: i, Err: err})
			continue
		}
		set.patterns = append(set.patterns, compiled)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return set, nil
}

// Faults lists the patterns that an error of CompileSet is about.
func Faults(err error) (faults []*PatternError) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, one := range joined.Unwrap() {
		var fault *PatternError
		if errors.As(one, &fault) {
			faults = append(faults, fault)
		}
	}
	return faults
}

// Match reports whether any pattern matches the text; in an empty set none does.
func (s *Set) Match(text string) bool {
	if s == nil {
		return false
	}
	for _, pattern := range s.patterns {
		if pattern.Match(text) {
			return true
		}
	}
	return false
}

// Len is the number of patterns.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.patterns)
}
