// Package printable makes texts from outside fit to be shown: valid UTF-8, bounded, and without the
// control characters that would drive a terminal.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cell is how much of a text a cell of a table shows, in bytes. Who cuts for one cuts to this: what is cut twice counts
// wrongly what is left out.
const Cell = 100

const replacement = "\uFFFD" // for bytes that are not UTF-8

// Line makes one line of at most max bytes: runs of white space become a blank, other control
// characters "·".
func Line(text string, max int) string {
	return Cut(strings.Map(dot, strings.Join(strings.Fields(text), " ")), max)
}

// Lines keeps the lines and tabs of a text and replaces other control characters by "·".
func Lines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return dot(r)
	}, text)
}

func dot(r rune) rune {
	if unicode.IsPrint(r) { // U+FFFD is, so Map mends what is not UTF-8
		return r
	}
	return '·'
}

// Cut shortens text to at most max bytes, at a whole character, saying how much was left out.
// Bytes that are not UTF-8 become U+FFFD.
func Cut(text string, max int) string {
	text = strings.ToValidUTF8(text, replacement)
	if len(text) <= max {
		return text
	}
	const room = 32 // for the note
	head := Head(text, max-room)
	note := fmt.Sprintf("… (%d bytes left out)", len(text)-len(head))
	if len(note) > max {
		note = ""
	}
	return head + note
}

// Head is the beginning of a text, at most max bytes, ending at a whole character.
func Head(text string, max int) string {
	if len(text) <= max {
		return text
	}
	end := max
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	if end < 0 {
		end = 0
	}
	return text[:end]
}
