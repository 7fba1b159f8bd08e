// Package stdout prints events on standard output: JSON for programs (catpaw | jq), or a line of text
// for people.
package stdout

import (
	"context"
	"os"
	"sync"

	"golang.org/x/term"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Output is standard output.
type Output struct {
	// `json`: one event a line, ready for `jq`. `text`: time, status, title, target and the first line of the
	// description that says more, coloured on a terminal unless `NO_COLOR` is set
	Format string `toml:"format"`

	stream *stream
	colour bool
	render func([]byte, *pipeline.Message) []byte
	memory memory
	spare  sync.Pool // of *[]byte
}

// New returns an output with the default options.
func New() *Output {
	return &Output{Format: "json", stream: standardOutput, colour: wantsColour(os.Stdout, os.Getenv)}
}

// wantsColour: on a terminal, unless the user says otherwise (https://no-color.org).
func wantsColour(file *os.File, getenv func(string) string) bool {
	return term.IsTerminal(int(file.Fd())) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// Init judges the options.
func (o *Output) Init() error {
	switch o.Format {
	case "json":
		o.render = appendJSON
	case "text":
		o.render = textStyle{colour: o.colour}.append
	default:
		return config.Field("format", `%q is neither "json" nor "text"`, o.Format)
	}
	return nil
}

func appendJSON(line []byte, m *pipeline.Message) []byte {
	return append(append(line, m.JSON()...), '\n')
}

// BatchSize is a thousand lines, one write.
func (o *Output) BatchSize() int { return 1000 }

// Write prints the messages in one write. Where the reader does not read and ctx ends first, the write
// goes on behind our back (nothing can call it back) and the messages are to be tried again: the next
// Write waits for it and prints only what it did not. A line that was begun and not ended is ended
// before anything else is printed, and not begun again.
func (o *Output) Write(ctx context.Context, batch []*pipeline.Message) []error {
	if !o.memory.settle(ctx) {
		return pipeline.Verdict(len(batch), errNotReading)
	}
	f := o.lines(batch)
	if !o.stream.start(ctx, f) {
		return pipeline.Verdict(len(batch), errNotReading)
	}
	select {
	case <-f.done:
		if !f.begun { // else the stream owes a part of it
			o.spare.Put(&f.data)
		}
		return o.memory.verdicts(f, batch)
	case <-ctx.Done():
		o.memory.leave(f)
		return pipeline.Verdict(len(batch), errNotReading)
	}
}

// lines makes the text of those messages that were not printed before.
func (o *Output) lines(batch []*pipeline.Message) *flight {
	f := &flight{done: make(chan struct{}), lines: make([]line, 0, len(batch))}
	for _, m := range batch {
		if id := m.ID(); !o.memory.knows(id) {
			if f.data == nil { // events are much of a size
				f.data = o.buffer((len(m.JSON()) + 64) * len(batch))
			}
			f.data = o.render(f.data, m)
			f.lines = append(f.lines, line{id, len(f.data)})
		}
	}
	return f
}

// buffer returns an empty buffer of about that capacity.
func (o *Output) buffer(size int) []byte {
	if spare, ok := o.spare.Get().(*[]byte); ok {
		return (*spare)[:0]
	}
	return make([]byte, 0, size)
}

// Close leaves standard output open: it is not ours alone.
func (o *Output) Close() error { return nil }
