package pipeline

import (
	"time"

	"catpaw/store"
)

// Result is what travels from the checks to the processors: an event, or the end of a run.
type Result struct {
	*Run         // that it is of
	Event *Event // nil at the end of the run
	End   *RunEnd
}

// Run is one Gather of one check.
type Run struct {
	Check   *Check
	Unseen  time.Duration // time before this run in which nobody looked because the process was stopped, 0 normally
	Started time.Time
}

// RunEnd closes a run: what was not mentioned in it is gone, unless its source is in Incomplete.
type RunEnd struct {
	Well       bool            // Gather returned without error and in time
	Incomplete map[string]bool // sources that could not be looked at in full
	Memo       []byte          // what the check remembers from now on; nil = what it did
}

// Batch is what the processing goroutine handles in one go: results on the way in, and on the way out
// what must be told and remembered. All of it is committed together. The slices are used again for the next batch; what
// they hold belongs to who takes it.
type Batch struct {
	Now     time.Time
	Results []Result
	Notify  []*Event
	States  []store.State
	Memos   []store.Memo
}

// reset empties a batch for the next one.
func (b *Batch) reset(now time.Time) {
	b.Now = now
	b.Results, b.Notify, b.States, b.Memos = empty(b.Results), empty(b.Notify), empty(b.States), empty(b.Memos)
}

// empty keeps the room of a slice, but nothing alive that was in it. Room that was needed once only is given up.
func empty[T any](s []T) []T {
	if cap(s) > 2*batchSize {
		return nil
	}
	clear(s)
	return s[:0]
}

// Processor changes, drops or adds to what is in a batch. It is called by one goroutine only.
type Processor interface {
	Process(b *Batch)
}
