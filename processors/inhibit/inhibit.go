// Package inhibit keeps alerts from being told that are only consequences: while the host does not answer,
// nobody needs to hear that its services do not.
package inhibit

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Rule is [[processors.inhibit]]: while an alert fires that fits Source, those that fit Target and have the
// same values of the labels in Equal are not told. An alert that fits both is no consequence of another.
type Rule struct {
	// labels and globs of the alert that must fire
	Source map[string]config.Strings `toml:"source"`
	// those of the alerts that are not told meanwhile. What fits `source` as well is never inhibited by the rule
	Target map[string]config.Strings `toml:"target"`
	// labels that must have the same value on both; one that is missing is empty
	Equal []string `toml:"equal"`

	source, target []pipeline.LabelGlobs
	firing         map[string]*sources // by the values of Equal
}

// sources are alerts that fire, and the one of them that is named.
type sources struct {
	all   map[string]string // alert key → what it is
	named string            // its key
}

// NewRule returns a rule with the default options.
func NewRule() *Rule { return &Rule{} }

// Init judges the options.
func (r *Rule) Init() error {
	var errs [4]error
	for i, side := range []struct {
		option   string
		patterns map[string]config.Strings
		globs    *[]pipeline.LabelGlobs
	}{{"source", r.Source, &r.source}, {"target", r.Target, &r.target}} {
		if len(side.patterns) == 0 {
			errs[2*i] = config.Field(side.option, `say which alerts, as in %s = { check = "ping*" }`, side.option)
		}
		*side.globs, errs[2*i+1] = pipeline.CompileLabels(side.option, side.patterns)
	}
	return errors.Join(errs[:]...)
}

func (r *Rule) values(labels pipeline.Labels) string {
	var values strings.Builder
	for _, label := range r.Equal {
		values.WriteString(labels.Get(label))
		values.WriteByte(0)
	}
	return values.String()
}

// Inhibitor holds the rules. It is used by the processing goroutine only.
type Inhibitor struct {
	rules []*Rule
	by    map[string]string // alert key → that of the alert which inhibits it, as of when it was asked last
}

// New returns an inhibitor without rules.
func New() *Inhibitor { return &Inhibitor{by: map[string]string{}} }

// Use replaces the rules; firing calls its argument for every alert that fires now.
func (i *Inhibitor) Use(rules []*Rule, firing func(do func(key string, labels pipeline.Labels))) {
	i.rules = rules
	clear(i.by)
	for _, rule := range rules {
		rule.firing = map[string]*sources{}
	}
	firing(func(key string, labels pipeline.Labels) { i.Firing(key, labels, true) })
}

// Firing notes that an alert begins or ceases to fire.
func (i *Inhibitor) Firing(key string, labels pipeline.Labels, firing bool) {
	if !firing {
		maps.DeleteFunc(i.by, func(target, source string) bool { return target == key || source == key })
	}
	for _, rule := range i.rules {
		if !pipeline.FitPresent(rule.source, labels) {
			continue
		}
		values := rule.values(labels)
		group := rule.firing[values]
		switch {
		case firing && group == nil:
			rule.firing[values] = &sources{map[string]string{key: nameOf(labels)}, key}
		case firing:
			group.all[key] = nameOf(labels)
		case group != nil:
			if delete(group.all, key); len(group.all) == 0 {
				delete(rule.firing, values)
			} else if group.named == key {
				group.named = slices.Min(slices.Collect(maps.Keys(group.all)))
			}
		}
	}
}

// Mutes is an alerting.Muter.
func (i *Inhibitor) Mutes(key string, labels pipeline.Labels, _ time.Time) string {
	for _, rule := range i.rules {
		if len(rule.firing) == 0 || !pipeline.FitPresent(rule.target, labels) || pipeline.FitPresent(rule.source, labels) {
			continue
		}
		group := rule.firing[rule.values(labels)]
		if group == nil {
			continue
		}
		if source := i.sourceFor(key, group); source != "" {
			i.by[key] = source
			return "inhibited while " + group.all[source] + " fires"
		}
	}
	delete(i.by, key)
	return ""
}

// sourceFor is an alert of a group that inhibits a target, "" where each of them is itself inhibited by the target:
// of two that would keep each other silent, one is told.
func (i *Inhibitor) sourceFor(target string, group *sources) string {
	if !i.isBehind(group.named, target) {
		return group.named
	}
	for _, key := range slices.Sorted(maps.Keys(group.all)) {
		if !i.isBehind(key, target) {
			return key
		}
	}
	return ""
}

// isBehind reports whether an alert is inhibited by another, or by one that is.
func (i *Inhibitor) isBehind(key, other string) bool {
	for range len(i.by) + 1 {
		if key = i.by[key]; key == other || key == "" {
			break
		}
	}
	return key != "" && key == other
}

func nameOf(labels pipeline.Labels) string {
	event := pipeline.Event{Labels: labels}
	return strings.TrimSpace(labels.Get("check") + " " + event.Where())
}
