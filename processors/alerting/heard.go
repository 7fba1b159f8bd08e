package alerting

// leftOut notes in the story which outputs leave out what is told: told to none, it was not told.
func (c *chapter) leftOut(none bool, left *string) {
	c.by = left
	if none {
		c.decision, c.note = Silent, unwanted
	}
}

// isUnheard reports whether the machine has told of an alert, and no output wanted any of it.
func (e *entry) isUnheard() bool {
	return e.Phase == Firing && e.Count > 0 && e.told != nil && len(e.told.names) == 0
}

// unwanted says why no output is to hear of an alert as it is now, "" where one is.
func (r *routes) unwanted(e *entry) string {
	if r.outputs == nil {
		return ""
	}
	wanted, left := r.wanting(e.Labels, max(e.Severity, e.Worst))
	if len(wanted.names) > 0 {
		return ""
	}
	return "no output wants it" + inBrackets(left)
}
