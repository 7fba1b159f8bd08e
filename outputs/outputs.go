// Package outputs lists the sinks. A new one is a folder beside this file and a line in the table.
package outputs

import (
	"catpaw/outputs/flashduty"
	"catpaw/outputs/kafka"
	"catpaw/outputs/nats"
	"catpaw/outputs/stdout"
	"catpaw/outputs/webhook"
	"catpaw/pipeline"
)

// Kind is one kind of output.
type Kind struct {
	New         func() pipeline.Output
	Concurrency int // default of the shared option: how many Writes at once, events of one alert in order
}

// Table maps the name in [[outputs.NAME]] to its kind.
func Table() map[string]Kind {
	return map[string]Kind{
		"flashduty": {func() pipeline.Output { return flashduty.New() }, 4},
		"kafka":     {func() pipeline.Output { return kafka.New() }, 4},
		"nats":      {func() pipeline.Output { return nats.New() }, 4},
		"stdout":    {func() pipeline.Output { return stdout.New() }, 1},
		"webhook":   {func() pipeline.Output { return webhook.New() }, 4},
	}
}
