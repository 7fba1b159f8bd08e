package agent

import (
	"maps"
	"slices"
	"strings"

	"catpaw/agent/api"
	"catpaw/pipeline"
)

// part is one thing of a configuration that a reload may change.
type part struct{ name, content string }

// compare tells two configurations apart.
func compare(before, after map[string]part) (c api.Changes) {
	c.Added, c.Removed, c.Changed = []string{}, []string{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		switch old, known := before[id]; {
		case !known:
			c.Added = append(c.Added, after[id].name)
		case old.content != after[id].content:
			c.Changed = append(c.Changed, after[id].name)
		default:
			c.Untouched++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if _, still := after[id]; !still {
			c.Removed = append(c.Removed, before[id].name)
		}
	}
	return c
}

// parts are the checks, outputs and other sections of a configuration by identity.
func (c *Configuration) parts() map[string]part {
	all := make(map[string]part, len(c.Checks)+len(c.Outputs))
	for _, check := range c.Checks {
		all["check "+check.ID] = part{"check " + check.ID + " (" + check.Source + ")", check.Content}
	}
	for _, section := range c.Sections {
		all["section "+section.id] = part{section.Name + " (" + section.Source + ")", section.content}
	}
	for _, output := range c.Outputs {
		all["output "+output.Name] = part{"output " + output.Name, output.Content}
	}
	return all
}

// Hash is short, and the same for configurations that run the same.
func (c *Configuration) Hash() string {
	parts := c.parts()
	var all []string
	for _, id := range slices.Sorted(maps.Keys(parts)) {
		all = append(all, id, parts[id].content)
	}
	return digest(strings.Join(all, "\n"))[:12]
}

func byID(checks []*pipeline.Check) map[string]*pipeline.Check {
	all := make(map[string]*pipeline.Check, len(checks))
	for _, check := range checks {
		all[check.ID] = check
	}
	return all
}
