package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"catpaw/internal/command"
	"catpaw/internal/intern"
	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

const (
	// maxHeld is how many events wait for the command to exit, so that its exit status and stderr can
	// go into their descriptions. Those beyond go on as they are.
	maxHeld = 1000
	// maxFaults is how many faults of one output are shown.
	maxFaults = 5
	// stderrShown is how many bytes of stderr are shown.
	stderrShown = 512
)

// run runs one command and reports what it printed and whether it worked.
func (p *Probe) run(ctx context.Context, r *pipeline.Report, j *job, spec command.Spec) {
	o := outcome{job: j, by: p.RunAs()}
	if j.fault != "" {
		o.faults = []string{j.fault}
		o.report(r)
		return
	}
	spec.Argv, spec.Timeout, spec.MaxOutput = j.argv, p.Timeout.Std(), int64(p.MaxOutput)
	if p.Mode == "nagios" {
		o.runNagios(ctx, r, spec, p.Timeout.String())
	} else {
		o.runJSON(ctx, r, spec, p.Timeout.String())
	}
	if ctx.Err() != nil && errors.Is(o.result.Err, context.Canceled) {
		r.Incomplete(j.target) // the agent stops: nobody knows what the command would have said
		return
	}
	o.report(r)
}

// outcome is one run of one command.
type outcome struct {
	job    *job
	by     string // who could run it by hand
	result command.Result
	events int
	faults []string // why the command did not work, as far as shown
	more   int      // faults that are not shown
}

func (o *outcome) fault(format string, args ...any) {
	if len(o.faults) == maxFaults {
		o.more++
		return
	}
	o.faults = append(o.faults, fmt.Sprintf(format, args...))
}

// runJSON hands on every event that can be read, whatever happens to the rest.
func (o *outcome) runJSON(ctx context.Context, r *pipeline.Report, spec command.Spec, timeout string) {
	var held, more []pipeline.Event
	var broken error // what made the rest of the output unreadable
	blank := true
	spec.Stdout = func(stdout io.Reader) {
		s := &splitter{r: stdout}
		broken = s.each(func(event pipeline.Event) {
			event.Source = o.job.target
			o.events++
			if len(held) < maxHeld {
				held = append(held, event)
				return
			}
			if more == nil {
				more = make([]pipeline.Event, 0, pipeline.AtOnce)
			}
			if more = append(more, event); len(more) == cap(more) {
				r.AddAll(more)
				more = nil
			}
		}, func(index int, err error) { o.fault("event %d: %v", index, err) })
		blank = broken == nil && s.index == 0 && !s.sawArray
	}
	o.result = command.Run(ctx, spec)
	switch {
	case o.result.Err != nil:
		o.fault("%s", whyEnded(o.result.Err, timeout, spec.MaxOutput))
	case broken != nil:
		o.fault("the output is broken: %v", broken)
	case blank && o.result.Exit != 0:
		o.fault("it printed nothing and ended with %s", o.ending())
	}
	r.AddAll(more)
	notes := o.notes()
	for i := range held {
		if held[i].Status.IsBad() && len(notes) > 0 {
			held[i].Description = annotate(held[i].Description, notes)
		}
	}
	r.AddAll(held)
}

// each reads the output to its end, or to where it is broken.
func (s *splitter) each(found func(pipeline.Event), fault func(index int, err error)) error {
	texts := make(intern.Table, 64)
	for {
		element, err := s.next()
		if err == io.EOF {
			return nil
		}
		if _, one := err.(*elementError); one {
			fault(s.index, err)
			continue
		}
		if err != nil {
			return err
		}
		event, ok, err := decodeEvent(element, texts)
		switch {
		case err != nil:
			fault(s.index, err)
		case ok:
			found(event)
		}
	}
}

// whyEnded explains, with the options that matter, why a command did not come to its own end.
func whyEnded(err error, timeout string, maxOutput int64) string {
	switch {
	case errors.Is(err, command.ErrTimeout):
		return "it did not finish within the timeout of " + timeout + " and was killed"
	case errors.Is(err, command.ErrTooLong):
		return fmt.Sprintf("it printed more than max_output (%d bytes) and was killed", maxOutput)
	case errors.Is(err, context.DeadlineExceeded):
		return "it was killed because the check as a whole ran out of time"
	}
	return err.Error()
}

// report tells whether the command worked: every command, at every run.
func (o *outcome) report(r *pipeline.Report) {
	event := pipeline.Event{Labels: failureLabels(o.job.target), Source: o.job.target}
	if o.job.fault == "" && o.result.Started() {
		event.Attrs = o.attrs()
	}
	if len(o.faults) == 0 {
		event.Status = pipeline.Ok
		event.Description = annotate("the command worked", o.notes())
	} else {
		r.Incomplete(o.job.target)
		event.Description = o.describe()
	}
	r.Add(event)
}

func (o *outcome) attrs() []pipeline.Attr {
	return []pipeline.Attr{
		{Key: "duration_seconds", Value: o.result.Elapsed.Seconds()},
		{Key: "events", Value: int64(o.events)},
		{Key: "exit_status", Value: int64(o.result.Exit)},
		{Key: "output_bytes", Value: o.result.StdoutBytes},
	}
}

// describe tells of a command that did not work.
func (o *outcome) describe() string {
	var b markdown.Builder
	b.Item("command", "%s", o.job.target)
	for _, fault := range o.faults {
		b.Item("fault", "%s", fault)
	}
	if o.more > 0 {
		b.Item("more faults", "%d", o.more)
	}
	if o.job.fault != "" {
		return b.String()
	}
	for _, n := range o.notes() {
		b.Item(n.name, "%s", n.text)
	}
	if o.result.Started() {
		b.Item("ran for", "%.3g s", o.result.Elapsed.Seconds())
		if o.events > 0 {
			b.Item("events that count", "%d", o.events)
		}
	}
	return b.Item("look further", "run it by hand as %s", o.by).String()
}

// ending is how the command ended, for people.
func (o *outcome) ending() string {
	if o.result.Signal != "" {
		return "signal " + o.result.Signal
	}
	return fmt.Sprintf("exit status %d", o.result.Exit)
}

type note struct{ name, text string }

// notes are what a command told beside its output: a status that is not 0, and stderr.
func (o *outcome) notes() []note {
	var notes []note
	if o.result.Err == nil && o.result.Exit != 0 {
		notes = append(notes, note{"ended with", o.ending()})
	}
	stderr := strings.TrimSpace(string(o.result.Stderr[:min(len(o.result.Stderr), stderrShown)]))
	if stderr != "" {
		stderr = strings.ToValidUTF8(strings.Join(strings.FieldsFunc(stderr, newline), " / "), "\uFFFD")
		if left := o.result.StderrBytes - stderrShown; left > 0 {
			stderr += fmt.Sprintf(" … (%d bytes left out)", left)
		}
		notes = append(notes, note{"stderr", stderr})
	}
	return notes
}

func newline(r rune) bool { return r == '\n' || r == '\r' }

// annotate adds notes to what a script wrote, cutting the script's text where both are too long.
func annotate(description string, notes []note) string {
	var tail strings.Builder
	for _, n := range notes {
		if strings.HasPrefix(description, "[MD]") {
			tail.WriteString("\n- **" + n.name + "**: " + n.text)
		} else {
			tail.WriteString("\n" + n.name + ": " + n.text)
		}
	}
	return strings.TrimPrefix(printable.Cut(description, pipeline.MaxDescription-tail.Len())+tail.String(), "\n")
}
