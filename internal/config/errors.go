package config

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// Error is one fault in a configuration file.
type Error struct {
	File string // as the user would name it, e.g. conf.d/p.http/http.toml
	Line int    // 1-based; 0 where no line applies
	Text string

	unknown string // the path of an unknown option, and of the one that it is likely to be, if any
	meant   string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// Errors collects faults, so that all of them are told at once.
type Errors []*Error

// Add notes a fault at a node.
func (e *Errors) Add(at *Node, format string, args ...any) {
	*e = append(*e, &Error{File: at.File, Line: at.Line, Text: fmt.Sprintf(format, args...)})
}

// Err returns the collected faults in the order of files and lines, or nil.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	sort.SliceStable(e, func(i, j int) bool {
		if e[i].File != e[j].File {
			return e[i].File < e[j].File
		}
		return e[i].Line < e[j].Line
	})
	return e
}

func (e Errors) Error() string {
	lines := make([]string, 0, len(e))
	seen := map[string]bool{}
	for _, one := range e {
		if line := one.Error(); !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// FieldError is a fault in one option. Plugins return it from Init (several joined with errors.Join);
// whoever decoded the options knows the file and the line.
type FieldError struct {
	Path string // the option, e.g. "timeout", "expect.response_regex", "targets[3]"
	Text string
}

func (e *FieldError) Error() string { return e.Path + ": " + e.Text }

// Field makes a FieldError.
func Field(path, format string, args ...any) error {
	return &FieldError{Path: path, Text: fmt.Sprintf(format, args...)}
}

// IsPort accepts the number of a port as a URL has it, and none.
func IsPort(text string) bool {
	n, err := strconv.Atoi(text)
	return text == "" || err == nil && n >= 1 && n <= 65535
}

// Between judges a number: nil, or the FieldError that it is out of bounds.
func Between(path string, value, low, high int) error {
	if value >= low && value <= high {
		return nil
	}
	return Field(path, "%d is not between %d and %d", value, low, high)
}

// AddInit notes what a plugin's Init returned, each fault at the line of the option it names. Where
// that line already has a fault (it could not be decoded), or an unknown option of the same table is
// likely to be a misspelling of it, what Init thinks of the default that stands in for it is no news.
func (e *Errors) AddInit(at *Node, err error) { e.addInit(at, err, (*e)[:len(*e):len(*e)]) }

func (e *Errors) addInit(at *Node, err error, decoding Errors) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			e.addInit(at, one, decoding)
		}
		return
	}
	var field *FieldError
	if !errors.As(err, &field) {
		e.Add(at, "%s", err)
		return
	}
	place := at.Find(field.Path)
	if !decoding.At(place) && !decoding.misspelt(at, field.Path) {
		e.Add(place, "%s: %s", field.Path, field.Text)
	}
}

// At reports whether there is a fault on a node's line.
func (e Errors) At(n *Node) bool {
	for _, one := range e {
		if one.isAt(n) {
			return true
		}
	}
	return false
}

// misspelt reports whether an unknown option in the same table is likely to be meant for that of the path.
func (e Errors) misspelt(table *Node, path string) bool {
	for _, one := range e {
		if one.meant == path && one.isAt(table.Find(one.unknown)) {
			return true
		}
	}
	return false
}

func (e *Error) isAt(n *Node) bool { return e.Line != 0 && e.File == n.File && e.Line == n.Line }

// nearest returns the candidate most like word, or "" where none is close enough to be meant.
func nearest(word string, candidates []string) string {
	const enough = 3 // characters that a candidate begins with
	for _, c := range candidates {
		if len(word) >= enough && strings.HasPrefix(strings.ToLower(c), strings.ToLower(word)) {
			return c
		}
	}
	best, bestDistance := "", max(2, len(word)/3+1)
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// DidYouMean returns `; did you mean "x"?` for the nearest candidate, or "".
func DidYouMean(word string, candidates []string) string {
	return didYouMean(nearest(word, candidates))
}

func didYouMean(near string) string {
	if near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// editDistance is the optimal string alignment distance: insertions, deletions, substitutions and
// swaps of neighbours each cost one.
func editDistance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
