package filechange

// change is what happened to one file within time_span: all of it, from its state before the first step
// to that after the last.
type change struct {
	path   string
	seen   int64  // unix nanoseconds; from then on it is bad for time_span
	made   int64  // likewise, when it happened; 0 = not known
	looked int64  // likewise, when it had not happened yet; 0 = not known
	steps  int    // runs that saw the file change
	first  bool   // nothing was known of the file: its mtime tells of the change, and before is nil
	before *state // nil = it was not there
	after  *state // nil = it is not there
}

// when is when it happened, as near as is known.
func (c *change) when() int64 {
	if c.made != 0 {
		return c.made
	}
	return c.seen
}

// follow makes c, which came after earlier, the change from before both.
func (c *change) follow(earlier *change) {
	c.steps = min(earlier.steps+1, maxSteps)
	c.first = false
	if !earlier.first { // else c.before is all that is known
		c.before = earlier.before
	}
}

// maxSteps is as far as anybody wants them counted.
const maxSteps = 1000
