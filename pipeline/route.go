package pipeline

import (
	"slices"
	"strings"

	"catpaw/internal/match"
)

// Route says which notifications an output is to have. The zero value, with Recovery, has them all.
type Route struct {
	MinSeverity Status       // of the alert at its worst in this episode
	Match       []LabelGlobs // all of these labels fit
	MatchNot    []LabelGlobs // none of these does
	NoRecovery  bool         // it is not to hear when an alert is over
}

// LabelGlobs is a label that any of the patterns must match. A label that is not there is empty.
type LabelGlobs struct {
	Label    string
	Patterns []string // as written
	Globs    *match.Set
}

// String is the route in words, as in "Warning and worse, team = db or web, not env = test, no recoveries".
func (r *Route) String() string {
	var parts []string
	switch r.MinSeverity {
	case Critical:
		parts = append(parts, "Critical")
	case Warning:
		parts = append(parts, "Warning and worse")
	}
	for _, one := range r.Match {
		parts = append(parts, one.String())
	}
	for _, one := range r.MatchNot {
		parts = append(parts, "not "+one.String())
	}
	if r.NoRecovery {
		parts = append(parts, "no recoveries")
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, ", ")
}

func (l LabelGlobs) String() string { return l.Label + " = " + strings.Join(l.Patterns, " or ") }

// Wants reports whether the output is to hear of an alert with these labels that was so bad.
func (r *Route) Wants(labels Labels, worst Status) bool {
	fits := func(l LabelGlobs) bool { return l.Globs.Match(labels.Get(l.Label)) }
	if worst < r.MinSeverity || slices.ContainsFunc(r.MatchNot, fits) {
		return false
	}
	for _, one := range r.Match {
		if !fits(one) {
			return false
		}
	}
	return true
}
