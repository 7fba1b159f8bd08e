package config

import (
	"fmt"
	"strings"
)

// locate returns the line of every key, table and array element in a TOML text that has already been
// parsed without error (so it need not judge, only look). Paths are as in Node.Find: "a.b", "list[2].c".
func locate(text string) map[string]int {
	s := &scanner{text: text, line: 1, lines: map[string]int{}, counts: map[string]int{}}
	for s.skipBlank(true); s.pos < len(s.text); s.skipBlank(true) {
		if s.peek() == '[' {
			s.header()
		} else {
			s.keyValue(s.table)
		}
	}
	return s.lines
}

type scanner struct {
	text   string
	pos    int
	line   int
	table  string         // path of the table the next keys belong to
	lines  map[string]int // path → line
	counts map[string]int // path of an array of tables → how many so far
}

func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) next() byte {
	c := s.peek()
	if c == '\n' {
		s.line++
	}
	s.pos++
	return c
}

// skipBlank passes white space and comments, and newlines where asked to.
func (s *scanner) skipBlank(newlines bool) {
	for s.pos < len(s.text) {
		switch c := s.peek(); {
		case c == ' ' || c == '\t' || c == '\r' || (c == '\n' && newlines):
			s.next()
		case c == '#':
			for s.pos < len(s.text) && s.peek() != '\n' {
				s.next()
			}
		default:
			return
		}
	}
}

func (s *scanner) note(path string, line int) {
	if _, seen := s.lines[path]; !seen {
		s.lines[path] = line
	}
}

// header reads [a.b] or [[a.b]].
func (s *scanner) header() {
	line := s.line
	s.next()
	isArray := s.peek() == '['
	if isArray {
		s.next()
	}
	keys := s.dottedKey(']')
	path := ""
	for i, key := range keys {
		path = join(path, key)
		s.note(path, line)
		if n := s.counts[path]; isArray && i == len(keys)-1 {
			s.counts[path]++
			path = fmt.Sprintf("%s[%d]", path, n)
			s.note(path, line)
		} else if n > 0 {
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
	}
	s.table = path
	for s.pos < len(s.text) && s.peek() != '\n' {
		s.next()
	}
}

// keyValue reads `a.b = value` into the table at path.
func (s *scanner) keyValue(path string) {
	line := s.line
	for _, key := range s.dottedKey('=') {
		path = join(path, key)
		s.note(path, line)
	}
	s.skipBlank(false)
	s.value(path)
}

// dottedKey reads the parts of a key up to and over the end character.
func (s *scanner) dottedKey(end byte) []string {
	var keys []string
	var part strings.Builder
	for s.pos < len(s.text) {
		switch c := s.peek(); c {
		case end:
			s.next()
			return append(keys, part.String())
		case '.':
			s.next()
			keys = append(keys, part.String())
			part.Reset()
		case '"', '\'':
			start := s.pos + 1
			s.quoted()
			part.WriteString(s.text[start : s.pos-1])
		case ' ', '\t', '\r', '\n':
			s.next()
		default:
			part.WriteByte(s.next())
		}
	}
	return append(keys, part.String())
}

func (s *scanner) value(path string) {
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.next()
		for i := 0; ; i++ {
			s.skipBlank(true)
			if s.peek() == ']' || s.pos >= len(s.text) {
				s.next()
				return
			}
			element := fmt.Sprintf("%s[%d]", path, i)
			s.note(element, s.line)
			s.value(element)
			s.separator()
		}
	case '{':
		s.next()
		for {
			s.skipBlank(true)
			if s.peek() == '}' || s.pos >= len(s.text) {
				s.next()
				return
			}
			s.keyValue(path)
			s.separator()
		}
	default:
		for s.pos < len(s.text) && !strings.ContainsRune(",]}#\n", rune(s.peek())) {
			s.next()
		}
	}
}

func (s *scanner) separator() {
	s.skipBlank(true)
	if s.peek() == ',' {
		s.next()
	}
}

// quoted passes a string of any of TOML's four kinds.
func (s *scanner) quoted() {
	quote := s.text[s.pos : s.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.pos:], triple) {
		quote = triple
	}
	for range len(quote) {
		s.next()
	}
	for s.pos < len(s.text) && !strings.HasPrefix(s.text[s.pos:], quote) {
		if s.next() == '\\' && quote[0] == '"' {
			s.next()
		}
	}
	for range len(quote) {
		s.next()
	}
	for len(quote) == 3 && s.peek() == quote[0] { // """…"""" may end in up to five quotes
		s.next()
	}
}
