package config

import "strings"

// locate notes the line of every key, table and array element of a TOML text in its nodes. The text has already been
// parsed without error, so it need not judge, only look. What it does not find is where its table is.
func locate(text string, root *Node) {
	s := &scanner{text: text, line: 1, root: root, table: root, begun: map[*Node]int{}}
	for s.skipBlank(true); s.pos < len(s.text); s.skipBlank(true) {
		if s.peek() == '[' {
			s.header()
		} else {
			s.keyValue(s.table)
		}
	}
	if s.lost {
		root.inherit(1)
	}
}

type scanner struct {
	text  string
	pos   int
	line  int
	root  *Node
	table *Node         // that the next keys belong to; nil where it was not found
	begun map[*Node]int // array of tables → how many of them so far
	keys  []string      // of dottedKey, used again
	lost  bool          // something was not found: a key is written with escapes
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
	s.pos = min(s.pos+1, len(s.text))
	return c
}

// skipBlank passes white space and comments, and newlines where asked to.
func (s *scanner) skipBlank(newlines bool) {
	for s.pos < len(s.text) {
		switch c := s.peek(); {
		case c == ' ' || c == '\t' || c == '\r' || (c == '\n' && newlines):
			s.next()
		case c == '#':
			s.pos += until(s.text[s.pos:], "\n")
		default:
			return
		}
	}
}

// note notes where a node was first seen, and returns it.
func (s *scanner) note(n *Node, line int) *Node {
	if n == nil {
		s.lost = true
	} else if n.Line == 0 {
		n.Line = line
	}
	return n
}

// header reads [a.b] or [[a.b]].
func (s *scanner) header() {
	line := s.line
	s.next()
	isArray := s.peek() == '['
	if isArray {
		s.next()
	}
	s.table = s.root
	keys := s.dottedKey(']')
	for i, key := range keys {
		at := s.note(s.table.Get(key), line)
		if isArray && i == len(keys)-1 {
			s.begun[at]++
		}
		if n := s.begun[at]; n > 0 {
			at = s.note(at.element(n-1), line)
		}
		s.table = at
	}
	s.pos += until(s.text[s.pos:], "\n")
}

// keyValue reads `a.b = value` into a table.
func (s *scanner) keyValue(at *Node) {
	line := s.line
	for _, key := range s.dottedKey('=') {
		at = s.note(at.Get(key), line)
	}
	s.skipBlank(false)
	s.value(at)
}

// dottedKey reads the parts of a key up to and over the end character. They are good until the next one is read.
func (s *scanner) dottedKey(end byte) []string {
	s.keys = s.keys[:0]
	part := ""
	for s.pos < len(s.text) {
		switch c := s.peek(); c {
		case end:
			s.next()
			s.keys = append(s.keys, part)
			return s.keys
		case '.':
			s.next()
			s.keys = append(s.keys, part)
			part = ""
		case '"', '\'':
			start := s.pos
			s.quoted()
			part += strings.Trim(s.text[start:s.pos], string(rune(c)))
		case ' ', '\t', '\r', '\n':
			s.next()
		default:
			size := 1 + until(s.text[s.pos+1:], ". =]\"'\t\r\n")
			part += s.text[s.pos : s.pos+size]
			s.pos += size
		}
	}
	s.keys = append(s.keys, part)
	return s.keys
}

func (s *scanner) value(at *Node) {
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
			s.value(s.note(at.element(i), s.line))
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
			s.keyValue(at)
			s.separator()
		}
	default:
		s.pos += until(s.text[s.pos:], ",]}#\n")
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

// inherit gives what has no line that of what it is in.
func (n *Node) inherit(line int) {
	if n.Line == 0 {
		n.Line = line
	}
	for _, child := range n.Table() {
		child.inherit(n.Line)
	}
	for _, child := range n.list() {
		child.inherit(n.Line)
	}
}
