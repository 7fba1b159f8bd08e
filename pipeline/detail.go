package pipeline

import (
	"slices"
	"strings"
)

// telling are the names of lines that say what happened, which is more than what should have.
var telling = []string{"error", "seen", "header", "text", "fault", "cannot look", "cannot be read", "changed", "missing", "unreadable", "lines that match", "lines, newest first"}

// Detail is the line of the description that says what happened; where none is known to, the first that says
// something which the labels do not.
func (e *Event) Detail() (detail string) {
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

func isLabel(e *Event, value string) bool {
	for _, label := range e.Labels {
		if label.Value == value {
			return true
		}
	}
	return false
}
