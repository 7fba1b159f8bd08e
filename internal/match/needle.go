package match

import (
	"regexp/syntax"
	"strings"
)

// Needle returns a text that every line that the pattern matches holds, "" where there is none such. It
// lets whoever searches much text look for the needle first, which is far quicker than matching.
func (p *Pattern) Needle() string { return p.needle }

// Needles returns the needles of all patterns, nil where one has none.
func (s *Set) Needles() []string {
	if s == nil {
		return nil
	}
	needles := make([]string, 0, len(s.patterns))
	for _, pattern := range s.patterns {
		if pattern.needle == "" {
			return nil
		}
		needles = append(needles, pattern.needle)
	}
	return needles
}

// literalOfGlob is the longest piece of a glob that stands for itself.
func literalOfGlob(pattern string) string {
	longest, current, depth := "", strings.Builder{}, 0
	end := func() {
		if current.Len() > len(longest) {
			longest = current.String()
		}
		current.Reset()
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '\\':
			end()
			i++ // the character behind it is left out: it is not worth the care
		case '[', '{':
			end()
			depth++
		case ']', '}':
			end()
			depth--
		case '*', '?':
			end()
		default:
			if depth == 0 {
				current.WriteByte(c)
			}
		}
	}
	end()
	return longest
}

// literalOfRegexp is the longest text that a match of the expression must hold.
func literalOfRegexp(expression string) string {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return ""
	}
	return required(parsed.Simplify())
}

func required(r *syntax.Regexp) (longest string) {
	switch r.Op {
	case syntax.OpLiteral:
		if r.Flags&syntax.FoldCase == 0 {
			longest = string(r.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		longest = required(r.Sub[0])
	case syntax.OpConcat:
		for _, part := range r.Sub {
			if literal := required(part); len(literal) > len(longest) {
				longest = literal
			}
		}
	}
	return longest
}
