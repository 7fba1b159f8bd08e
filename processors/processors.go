// Package processors lists what happens to a result between the check that found it and the commit.
package processors

import (
	"catpaw/pipeline"
	"catpaw/processors/alerting"
	"catpaw/processors/labels"
)

// Table maps the name in [[processors.NAME]] to a constructor. Those a user may add run in the order
// of the file, between the labels and the alerting that every pipeline has.
func Table() map[string]func() pipeline.Processor {
	return map[string]func() pipeline.Processor{}
}

// Chain is the whole way of a batch: labels first, alerting last.
func Chain(user []pipeline.Processor, last *alerting.Processor) []pipeline.Processor {
	chain := []pipeline.Processor{labels.New()}
	return append(append(chain, user...), last)
}
