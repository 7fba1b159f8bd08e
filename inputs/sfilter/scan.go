package sfilter

import (
	"bytes"
	"io"

	"catpaw/inputs/internal/linefilter"
	"catpaw/internal/printable"
)

const (
	// window is how much of the output is in memory at a time. Of a longer line its beginning is looked at.
	window = 256 << 10
	// shownLine is how many bytes of a matched line are shown.
	shownLine = 300
)

// scanner looks for matching lines in output of any size.
type scanner struct {
	filter *linefilter.Options
	most   int // lines that are kept

	kept    []string // the first ones that matched, fit to be shown
	matched int64
	lines   int64
}

// read goes through the output to its end.
func (s *scanner) read(r io.Reader) {
	buffer := make([]byte, window)
	have := 0     // bytes of an unfinished line at the beginning of buffer
	skip := false // what comes is the rest of a line whose beginning was looked at
	for {
		n, err := r.Read(buffer[have:])
		text, old := buffer[:have+n], have
		if skip {
			text, skip = afterLineFeed(text)
		}
		end := 0
		if i := bytes.LastIndexByte(text[min(old, len(text)):], '\n'); i >= 0 {
			end = old + i + 1
		}
		switch {
		case err != nil:
			end = len(text)
		case end == 0 && len(text) == len(buffer):
			end, skip = len(text), true
		}
		s.look(text[:end])
		if err != nil {
			return
		}
		have = len(text) - end
		if have < old+n { // else it is where it should be: a long line may come in many small reads
			copy(buffer, text[end:])
		}
	}
}

// afterLineFeed leaves out the rest of a line, which may go on still.
func afterLineFeed(text []byte) (rest []byte, goesOn bool) {
	i := bytes.IndexByte(text, '\n')
	if i < 0 {
		return nil, true
	}
	return text[i+1:], false
}

// look searches whole lines.
func (s *scanner) look(text []byte) {
	if len(text) == 0 {
		return
	}
	s.lines += int64(bytes.Count(text, []byte{'\n'}))
	if text[len(text)-1] != '\n' {
		s.lines++
	}
	s.filter.Each(text, func(line []byte) {
		s.matched++
		if len(s.kept) < s.most {
			s.kept = append(s.kept, printable.Line(string(line[:min(len(line), 4*shownLine)]), shownLine))
		}
	})
}
