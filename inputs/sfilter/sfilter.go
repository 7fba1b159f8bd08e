// Package sfilter runs a command and looks for lines in what it prints: bad is when there are any.
// sfilter.go holds the options, scan.go searches the output, tell.go words what was seen.
package sfilter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"catpaw/inputs/internal/cmdline"
	"catpaw/inputs/internal/linefilter"
	"catpaw/internal/command"
	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Filter and Surroundings are options that other probes have, too.
type (
	Filter       = linefilter.Options
	Surroundings = cmdline.Options
)

// maxMaxLines is as many lines as a description could ever hold.
const maxMaxLines = 1000

// Probe runs one command.
type Probe struct {
	// string or array, as for exec; no shell runs it. An instance without one watches nothing
	Command config.Command `toml:"command"`
	// the name of the alert
	Check string `toml:"check"`
	// how many of the lines are shown; all are counted
	MaxLines int `toml:"max_lines"`
	// then the command is killed; what it printed until then counts
	Timeout config.Duration `toml:"timeout"`
	Filter
	Surroundings

	argv []string
}

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{MaxLines: 20, Timeout: config.Duration(10 * time.Second)}
}

// Idle is true of an instance without a command.
func (p *Probe) Idle() string {
	if p.Command.Line == "" && p.Command.Argv == nil {
		return "command is empty"
	}
	return ""
}

// Init judges the options.
func (p *Probe) Init() error {
	errs := []error{p.Filter.Compile(), p.Prepare(), config.Between("max_lines", p.MaxLines, 1, maxMaxLines)}
	var err error
	if p.argv, err = cmdline.Parse(p.Command); err != nil {
		errs = append(errs, config.Field("command", "%v", err))
	}
	if p.Check == "" {
		errs = append(errs, config.Field("check", `give the alert a name, as in check = "kernel log"`))
	}
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "10s"`))
	}
	return errors.Join(errs...)
}

// Warnings tells of a command line that looks as if a shell were to run it, and of odd patterns.
func (p *Probe) Warnings() []string {
	warnings := p.Filter.Warnings()
	if warning := cmdline.ShellWarning(p.Command); warning != "" {
		warnings = append(warnings, "command: "+warning)
	}
	return warnings
}

// MaxGather is the timeout, and the time it takes to end the command then.
func (p *Probe) MaxGather() time.Duration { return p.Timeout.Std() + command.Overtime }

// Keys names the one alert.
func (p *Probe) Keys() []pipeline.Labels { return []pipeline.Labels{pipeline.L("check", p.Check)} }

// Gather runs the command. What matched before the command failed is told, too.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	s := &scanner{filter: &p.Filter, most: p.MaxLines}
	spec := p.Spec(p.argv)
	spec.Timeout, spec.Stdout = p.Timeout.Std(), s.read
	run := command.Run(ctx, spec)
	if ctx.Err() != nil && errors.Is(run.Err, context.Canceled) {
		r.Incomplete("") // the agent stops: nobody knows what the command would have said
		return nil
	}
	fault := p.fault(&run)
	if fault == nil || s.matched > 0 {
		r.Add(p.event(s, &run))
	}
	return fault
}

// fault is why a command did not do its work, nil where it did. An exit status by itself says nothing:
// grep ends with 1 where all is well. But with nothing printed and a complaint beside it, as dmesg's that it
// may not read, nobody knows.
func (p *Probe) fault(run *command.Result) error {
	const cannotRun, notFound = 126, 127 // so a shell ends that could not run what it was told to
	name := cmdline.Target(p.argv)
	switch {
	case errors.Is(run.Err, command.ErrTimeout):
		return fmt.Errorf("%s did not finish within the timeout of %s and was killed: raise timeout, or look what it waits for", name, p.Timeout)
	case run.Err != nil:
		return fmt.Errorf("%s: %w", name, run.Err)
	case run.StdoutBytes == 0 && (run.Exit == cannotRun || run.Exit == notFound || run.Exit < 0 || run.Exit > 0 && run.StderrBytes > 0):
		return fmt.Errorf("%s printed nothing and ended with %s%s", name, ending(run), because(run))
	}
	return nil
}
