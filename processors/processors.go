// Package processors lists what happens to a result between the check that found it and the commit.
package processors

import (
	"catpaw/pipeline"
	"catpaw/processors/alerting"
	"catpaw/processors/inhibit"
	"catpaw/processors/labels"
	"catpaw/processors/silence"
)

// Options are one [[processors.NAME]] block.
type Options interface {
	// Init judges the options, as that of an input.
	Init() error
}

// Table maps the name in [[processors.NAME]] to a constructor of its options. What they say of an alert is
// asked by alerting, before it tells.
func Table() map[string]func() Options {
	return map[string]func() Options{
		"silence": func() Options { return silence.NewWindow() },
		"inhibit": func() Options { return inhibit.NewRule() },
	}
}

// Chain is the whole way of a batch: labels first, alerting last.
func Chain(last *alerting.Processor) []pipeline.Processor {
	return []pipeline.Processor{labels.New(), last}
}
