package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	maxElement = 1 << 20 // bytes of one event
	maxDepth   = 100     // of brackets in one event
	firstRead  = 32 << 10
)

// Faults of one element: the next one can still be read.
var (
	errElementLong = fmt.Errorf("it is longer than %d bytes", maxElement)
	errElementDeep = fmt.Errorf("its brackets are nested more than %d deep", maxDepth)
)

// splitter finds the elements of a JSON array while it is being printed, in a buffer that never grows
// beyond one element. It takes single objects and several arrays one after another too. It knows
// strings, brackets and comments, and leaves all else to who decodes the elements.
type splitter struct {
	r        io.Reader
	buf      []byte
	pos, end int   // what was read and not yet used is buf[pos:end]
	err      error // what ended reading
	inArray  bool
	sawArray bool
	index    int // of the element that next returned last, from 1
}

// next returns the next element, valid until the call after. io.EOF is the proper end of the output, an
// elementError is the fault of one element, any other error ends it all.
func (s *splitter) next() ([]byte, error) {
	for {
		c, err := s.peek()
		switch {
		case err == io.EOF && s.inArray:
			return nil, fmt.Errorf("it ends after event %d although the array is not closed", s.index)
		case err != nil:
			return nil, err
		case isSpace(c) || c == ',':
			s.pos++
		case c == '/':
			if err := s.comment(); err != nil {
				return nil, err
			}
		case c == '[' && !s.inArray:
			s.inArray, s.sawArray = true, true
			s.pos++
		case c == ']' && s.inArray:
			s.inArray = false
			s.pos++
		case c == 0xEF && s.index == 0 && !s.inArray && s.skip("\uFEFF"):
		case c == '{' || s.inArray || c == 'n' && s.skip("null"):
			if c == 'n' && !s.inArray {
				continue
			}
			s.index++
			return s.element(c)
		default:
			return nil, fmt.Errorf("%s there is something that is no event: %s", s.where(), s.excerpt())
		}
	}
}

// elementError is the fault of one element.
type elementError struct{ err error }

func (e *elementError) Error() string { return e.err.Error() }

func (s *splitter) element(first byte) ([]byte, error) {
	if first != '{' && first != '[' && first != '"' {
		return s.word()
	}
	var lex lexer
	var fault error
	for scanned := 0; ; {
		if s.pos+scanned == s.end && !s.more() {
			return nil, fmt.Errorf("it ends in the middle of event %d", s.index)
		}
		n, done := lex.scan(s.buf[s.pos+scanned : s.end])
		scanned += n
		switch {
		case lex.deep:
			fault = errElementDeep
		case scanned > maxElement:
			fault = errElementLong
		}
		if fault != nil && !done { // read on to its end, but keep none of it
			s.pos += scanned
			scanned = 0
		}
		if done {
			element := s.buf[s.pos : s.pos+scanned]
			s.pos += scanned
			if fault != nil {
				return nil, &elementError{fault}
			}
			return element, nil
		}
	}
}

// word takes a bare word: null, a number, or nonsense.
func (s *splitter) word() ([]byte, error) {
	for n := 0; ; n++ {
		if s.pos+n == s.end && !s.more() || n == 64 || bytes.IndexByte([]byte(",]}[{\"/ \t\r\n"), s.buf[s.pos+n]) >= 0 && n > 0 {
			word := s.buf[s.pos : s.pos+n]
			s.pos += n
			if n == 64 {
				return nil, fmt.Errorf("event %d is nothing that JSON knows: %s", s.index, quote(word))
			}
			return word, nil
		}
	}
}

// comment skips a comment.
func (s *splitter) comment() error {
	if s.skip("//") {
		for {
			c, err := s.peek()
			if err != nil {
				return nil // next will meet it again
			}
			if s.pos++; c == '\n' {
				return nil
			}
		}
	}
	if !s.skip("/*") {
		return fmt.Errorf("%s there is something that is no event: %s", s.where(), s.excerpt())
	}
	for !s.skip("*/") {
		if _, err := s.peek(); err != nil {
			return errors.New("it ends in a comment that is not closed")
		}
		s.pos++
	}
	return nil
}

// peek returns the next byte, without taking it.
func (s *splitter) peek() (byte, error) {
	if s.pos == s.end && !s.more() {
		return 0, s.err
	}
	return s.buf[s.pos], nil
}

// skip takes text if that comes next.
func (s *splitter) skip(text string) bool {
	for s.end-s.pos < len(text) && s.more() {
	}
	if !bytes.HasPrefix(s.buf[s.pos:s.end], []byte(text)) {
		return false
	}
	s.pos += len(text)
	return true
}

// more reads more, and reports whether there was any.
func (s *splitter) more() bool {
	if s.err != nil {
		return false
	}
	if s.end == len(s.buf) {
		s.makeRoom()
	}
	n := 0
	for n == 0 && s.err == nil {
		n, s.err = s.r.Read(s.buf[s.end:])
	}
	s.end += n
	return n > 0
}

func (s *splitter) makeRoom() {
	unused := s.buf[s.pos:s.end]
	if len(unused) > len(s.buf)/2 || len(s.buf) == 0 {
		s.buf = make([]byte, max(firstRead, 2*len(s.buf)))
	}
	s.end = copy(s.buf, unused)
	s.pos = 0
}

// where says how far the output was good.
func (s *splitter) where() string {
	switch {
	case s.inArray:
		return fmt.Sprintf("after event %d", s.index)
	case s.index > 0:
		return fmt.Sprintf("behind event %d, the last one,", s.index)
	}
	return "instead of a JSON array"
}

// excerpt shows what comes next.
func (s *splitter) excerpt() string {
	for s.end-s.pos < excerptLength && s.more() {
	}
	return quote(s.buf[s.pos:s.end])
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
