package stdout

import (
	"slices"
	"strings"
	"time"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// What a line shows at most, in bytes.
const (
	maxTitle  = 120
	maxWhere  = 160
	maxDetail = 240
)

// textStyle makes lines for people:
//
//	2024-12-16 09:00:05 Critical HTTP check failed | http://127.0.0.1:8888/ | connection refused
type textStyle struct{ colour bool }

var colours = map[pipeline.Status]string{
	pipeline.Critical: "\x1b[31m", // red
	pipeline.Warning:  "\x1b[33m", // yellow
	pipeline.Info:     "\x1b[34m", // blue
	pipeline.Ok:       "\x1b[32m", // green
}

const (
	plain       = "\x1b[0m"
	statusWidth = len("Critical")
)

func (s textStyle) append(b []byte, m *pipeline.Message) []byte {
	e, err := m.Event()
	if err != nil { // never lose an event over its looks
		return appendJSON(b, m)
	}
	b = time.Unix(e.Time, 0).AppendFormat(b, time.DateTime+" ")
	status := e.Status.String()
	padding := strings.Repeat(" ", max(0, statusWidth-len(status)))
	if s.colour {
		status = colours[e.Status] + status + plain
	}
	b = append(b, status+padding+" "+printable.Line(e.Title(), maxTitle)...)
	where := e.Where()
	if where != "" {
		b = append(b, " | "+printable.Line(where, maxWhere)...)
	}
	if detail := detailOf(e); detail != "" {
		b = append(b, " | "+printable.Line(detail, maxDetail)...)
	}
	return append(b, '\n')
}

// telling are the names of lines that say what happened, which is more than what should have.
var telling = []string{"error", "seen", "text", "fault", "cannot look", "cannot be read", "changed", "missing", "unreadable", "lines that match", "lines, newest first"}

// detailOf is the line of the description that says what happened; where none is known to, the first
// that says something which the labels do not.
func detailOf(e *pipeline.Event) (detail string) {
	lines := strings.Split(strings.TrimPrefix(e.Description, "[MD]"), "\n")
	for i, line := range lines {
		name, value := splitItem(strings.TrimSpace(line))
		if strings.Trim(value, "`-#*= ") == "" || isLabel(e, value) {
			continue
		}
		said := value
		if name != "" {
			said = name + ": " + value
		}
		if slices.Contains(telling, name) {
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  - ") { // the first of a list
				said += ": " + strings.Trim(lines[i+1][len("  - "):], "`")
			}
			return said
		}
		if detail == "" {
			detail = said
		}
	}
	return detail
}

// splitItem takes the markdown off "- **name**: value".
func splitItem(line string) (name, value string) {
	line = strings.TrimSpace(strings.TrimLeft(line, "#>"))
	for _, bullet := range []string{"- ", "* "} {
		line = strings.TrimPrefix(line, bullet)
	}
	if rest, ok := strings.CutPrefix(line, "**"); ok {
		if name, value, ok := strings.Cut(rest, "**"); ok {
			return name, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(value), ":"))
		}
	}
	return "", line
}

func isLabel(e *pipeline.Event, value string) bool {
	for _, label := range e.Labels {
		if label.Value == value {
			return true
		}
	}
	return false
}
