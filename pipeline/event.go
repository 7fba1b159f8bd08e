package pipeline

import (
	"strings"

	"catpaw/internal/printable"
)

// Event is one finding of a check. An input fills Status, Labels, Description and Attrs, and Source
// where it looks at several things that can fail one by one; the machinery fills in the rest.
//
// Once handed on, an event belongs to the receiver.
type Event struct {
	Time        int64 // unix seconds; 0 = when it was reported
	Status      Status
	AlertKey    string
	Labels      Labels
	TitleRule   string // "" = "$check"
	Description string // for a person at 3 a.m.; begins with "[MD]" where it is markdown
	Attrs       []Attr // what was measured; not part of the alert key

	// Source names the part of the check this came from (a script, say), so that an alert can be
	// told gone when its source ran well without mentioning it. "" is the check as a whole.
	Source string

	// Filled by the alerting processor and the commit point.
	ID            string // stable over retries and restarts
	FirstFireTime int64  // unix seconds
	NotifyCount   int    // notifications of this episode, this one included
	Delayed       bool   // told much later than it was decided

	Outputs []string // those that are to hear of it; nil = all
}

// MaxDescription is the most bytes a description may have; longer ones are cut.
const MaxDescription = 2000

// Where tells an alert from others of its check: the target, else the labels that are not the same
// for the whole host.
func (e *Event) Where() string {
	for _, key := range []string{"target", "directory"} {
		if value := e.Labels.Get(key); value != "" {
			return value
		}
	}
	var pieces []string
	for _, label := range e.Labels {
		if label.Key != "check" && !strings.HasPrefix(label.Key, "from_") {
			pieces = append(pieces, label.Key+"="+label.Value)
		}
	}
	return strings.Join(pieces, " ")
}

// WithLine adds a last, named line to a description, in the description's own form, within its limit.
func WithLine(description, name, line string) string {
	switch {
	case strings.HasPrefix(description, "[MD]"):
		line = "\n- **" + name + "**: " + line
	case description != "":
		line = "\n" + line
	}
	return printable.Cut(description, MaxDescription-len(line)) + line
}

// Title renders the title rule: "$label" pieces between "::" become their values joined by " / ", and
// after "[TPL]" every "${label}" becomes its value. A label that is not there leaves its name.
func (e *Event) Title() string {
	if template, ok := strings.CutPrefix(e.TitleRule, "[TPL]"); ok {
		return e.renderTemplate(template)
	}
	if key, ok := strings.CutPrefix(e.TitleRule, "$"); ok && e.hasLabel(key) { // nearly always
		return e.Labels.Get(key)
	}
	pieces := strings.Split(e.TitleRule, "::")
	for i, piece := range pieces {
		if key, ok := strings.CutPrefix(strings.TrimSpace(piece), "$"); ok && e.hasLabel(key) {
			pieces[i] = e.Labels.Get(key)
		}
	}
	return strings.Join(pieces, " / ")
}

func (e *Event) hasLabel(key string) bool {
	for i := range e.Labels {
		if e.Labels[i].Key == key {
			return true
		}
	}
	return false
}

func (e *Event) renderTemplate(template string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		key, after, closed := strings.Cut(rest, "}")
		switch {
		case !closed:
			b.WriteString("${" + rest)
			return b.String()
		case e.hasLabel(key):
			b.WriteString(e.Labels.Get(key))
		default:
			b.WriteString("${" + key + "}")
		}
		template = after
	}
}
