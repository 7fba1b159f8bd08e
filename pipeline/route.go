package pipeline

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"catpaw/internal/config"
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

// CompileLabels compiles an option that maps labels to globs, in the order of the labels. The error is of
// config.FieldErrors.
func CompileLabels(option string, patterns map[string]config.Strings) (all []LabelGlobs, err error) {
	var errs []error
	for _, label := range slices.Sorted(maps.Keys(patterns)) {
		globs, err := match.CompileSet(patterns[label])
		for _, fault := range match.Faults(err) {
			errs = append(errs, config.Field(option+"."+label, "%v", fault.Err))
		}
		if label == "" {
			errs = append(errs, config.Field(option, "a label has no name"))
		}
		if len(patterns[label]) == 0 {
			errs = append(errs, config.Field(option+"."+label, "it has no pattern: nothing could match"))
		}
		all = append(all, LabelGlobs{Label: label, Patterns: patterns[label], Globs: globs})
	}
	return all, errors.Join(errs...)
}

// Fit reports whether the label of a set matches.
func (l LabelGlobs) Fit(labels Labels) bool { return l.Globs.Match(labels.Get(l.Label)) }

// FitAll reports whether all labels that are asked for fit.
func FitAll(all []LabelGlobs, labels Labels) bool {
	for _, one := range all {
		if !one.Fit(labels) {
			return false
		}
	}
	return true
}

// FitPresent is FitAll, but a label that is not there fits nothing, unless "" is one of the patterns: a misspelt label
// must not make everything fit.
func FitPresent(all []LabelGlobs, labels Labels) bool {
	for _, one := range all {
		there := slices.ContainsFunc(labels, func(l Label) bool { return l.Key == one.Label })
		if !one.Fit(labels) || !there && !slices.Contains(one.Patterns, "") {
			return false
		}
	}
	return true
}

// LeavesOut says why the output is not to hear of an alert with these labels that was so bad, "" where it is.
func (r *Route) LeavesOut(labels Labels, worst Status) string {
	if worst < r.MinSeverity {
		return "below min_severity " + r.MinSeverity.String()
	}
	for _, one := range r.Match {
		if !one.Fit(labels) {
			return "match asks for " + one.String()
		}
	}
	for _, one := range r.MatchNot {
		if one.Fit(labels) {
			return "match_not has " + one.String()
		}
	}
	return ""
}
