package pipeline

import (
	"time"

	"catpaw/store"
)

// Result is what travels from the checks to the processors: an event, or the end of a run.
type Result struct {
	Check *Check
	Run   *Run
	Event *Event // nil at the end of the run
	End   *RunEnd
	Memo  []byte // with End: what the check remembers from now on; nil = what it did
	// Together are the results of a whole run that must be committed at once. Such a result holds
	// nothing else, and processors never see it.
	Together []Result
}

// Run is one Gather of one check.
type Run struct {
	Unseen  time.Duration // time before this run in which nobody looked because the process was stopped, 0 normally
	Started time.Time
}

// RunEnd closes a run: what was not mentioned in it is gone, unless its source is in Incomplete.
type RunEnd struct {
	Well       bool            // Gather returned without error and in time
	Incomplete map[string]bool // sources that could not be looked at in full
}

// Batch is what the processing goroutine handles in one go: results on the way in, and on the way out
// what must be told and remembered. All of it is committed together.
type Batch struct {
	Now     time.Time
	Results []Result
	Notify  []*Event
	States  []store.State
	Memos   []store.Memo
}

// Processor changes, drops or adds to what is in a batch. It is called by one goroutine only.
type Processor interface {
	Process(b *Batch)
}
