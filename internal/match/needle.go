package match

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Needles returns texts of which every line that a pattern of the set matches holds one, nil where there are
// none such. They let whoever searches much text look for them first, which is far quicker than matching.
func (s *Set) Needles() []string {
	if s == nil {
		return nil
	}
	needles := make([]string, 0, len(s.patterns))
	for _, pattern := range s.patterns {
		if len(pattern.needles) == 0 {
			return nil
		}
		needles = append(needles, pattern.needles...)
	}
	return needles
}

// needleOf is the needle of a pattern without alternatives.
func needleOf(literal string) []string {
	if literal == "" {
		return nil
	}
	return []string{literal}
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
			if depth == 0 { // it stands for itself, but it is not worth the care either
				end()
				continue
			}
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

// literalsOfRegexp are texts of which every match of the expression holds one.
func literalsOfRegexp(expression string) []string {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	return required(parsed.Simplify())
}

func required(r *syntax.Regexp) []string {
	switch r.Op {
	case syntax.OpLiteral:
		if r.Flags&syntax.FoldCase == 0 {
			return needleOf(string(r.Rune))
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(r.Sub[0])
	case syntax.OpConcat:
		return bestOf(r.Sub)
	case syntax.OpAlternate:
		return oneOfEach(r.Sub)
	}
	return nil
}

// bestOf takes the part whose shortest literal is the longest.
func bestOf(parts []*syntax.Regexp) (best []string) {
	length := 0
	for _, part := range parts {
		if literals := required(part); len(literals) > 0 {
			if shortest := len(slices.MinFunc(literals, byLength)); shortest > length {
				best, length = literals, shortest
			}
		}
	}
	return best
}

func byLength(a, b string) int { return cmp.Compare(len(a), len(b)) }

func oneOfEach(alternatives []*syntax.Regexp) (all []string) {
	for _, alternative := range alternatives {
		literals := required(alternative)
		if len(literals) == 0 {
			return nil
		}
		all = append(all, literals...)
	}
	return all
}
