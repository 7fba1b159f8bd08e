package config

import "strings"

// maxDepth is how deep tables, arrays and dotted keys may nest. The parser takes quadratic time for
// them, so that a file of 200 KB could hold up a reload for ever.
const maxDepth = 100

// tooDeep returns the line on which something nests too deep, 0 where nothing does. It reads no more of
// TOML than strings, comments, brackets and dots.
func tooDeep(text string) (line int) {
	line = 1
	depth, dots := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\n':
			line++
			dots = 0
		case '#':
			i += until(text[i:], "\n") - 1
		case '"', '\'':
			size := stringLength(text[i:])
			line += strings.Count(text[i:i+size], "\n")
			i += size - 1
		case '[', '{':
			depth++
			dots = 0
		case ']', '}':
			depth--
		case '=', ',':
			dots = 0
		case '.':
			dots++
		}
		if depth > maxDepth || dots > maxDepth {
			return line
		}
	}
	return 0
}

// until is how much of text is before the first of these characters.
func until(text, ends string) int {
	if i := strings.IndexAny(text, ends); i >= 0 {
		return i
	}
	return len(text)
}

// stringLength is the length of the string literal that text begins with.
func stringLength(text string) int {
	quote := text[:1]
	if strings.HasPrefix(text, quote+quote+quote) {
		quote += quote + quote
	}
	for i := len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote[0] == '"':
			i++
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote)
		case text[i] == '\n' && len(quote) == 1: // not closed: the parser will say so
			return i
		}
	}
	return len(text)
}
