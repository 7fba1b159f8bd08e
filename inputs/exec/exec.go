// Package exec runs commands and takes what they print: events as JSON, or one verdict as a Nagios
// plugin gives it. It knows no shell; a string is split as a shell would split it, and the first word
// may be a glob.
//
//	commands ─► jobs (globs expanded) ─► internal/command ─► splitter ─► decode ─► events
//	                                                   └──────► nagios ───────────► event
//	every job also gives a result of its own: did the command work?
package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"catpaw/inputs/internal/cmdline"
	"catpaw/internal/command"
	"catpaw/internal/config"
	"catpaw/pipeline"
)

// failed is the check label of the result that tells whether a command worked.
const failed = "exec command failed"

// globGuess is how many commands one glob counts as, when the longest run is estimated.
const globGuess = 100

// Probe runs commands.
type Probe struct {
	// strings or arrays. A string is split as a shell would split it (quotes, backslashes), but no shell runs it; its
	// first word may be a glob, looked up at every run. An array is taken as it is. An instance without any watches nothing
	Commands []config.Command `toml:"commands"`
	// `"json"` or `"nagios"`
	Mode string `toml:"mode"`
	// of each command
	Timeout config.Duration `toml:"timeout"`
	// commands at once
	Concurrency int `toml:"concurrency"`
	// nagios: the `check` label. Commands that would share it need an `[[instances]]` block each. Default: the
	// command's file name.
	Check string `toml:"check"`
	// a command that prints more is killed
	MaxOutput config.Size `toml:"max_output"`
	cmdline.Options

	lines []line // the commands, split

	mu      sync.Mutex
	matched map[string][]string // glob → the targets it last matched
}

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{
		Mode:        "json",
		Timeout:     config.Duration(10 * time.Second),
		Concurrency: 5,
		MaxOutput:   16 << 20,
		matched:     map[string][]string{},
	}
}

// Idle is true of an instance without commands.
func (p *Probe) Idle() string {
	if len(p.Commands) == 0 {
		return "commands is empty"
	}
	return ""
}

// Init judges the options.
func (p *Probe) Init() error {
	return errors.Join(p.initCommands(), p.initMode(), p.initLimits(), p.Prepare())
}

func (p *Probe) initCommands() error {
	var errs []error
	p.lines = p.lines[:0]
	for i, c := range p.Commands {
		line, err := parseLine(c)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("commands[%d]", i), "%v", err))
			continue
		}
		p.lines = append(p.lines, line)
	}
	if len(errs) == 0 && p.Mode == "nagios" {
		errs = append(errs, p.checkNames())
	}
	return errors.Join(errs...)
}

// checkNames refuses commands whose results would be one alert. What globs will match is found out at
// every run.
func (p *Probe) checkNames() error {
	var errs []error
	owner := map[string]string{}
	for i, line := range p.lines {
		name := p.checkName(line.argv)
		if line.isGlob() {
			if p.Check != "" {
				errs = append(errs, config.Field("check", "commands[%d] is a glob and may match several commands, which would share this one name: leave check out, so that each is named after its file", i))
			}
			continue
		}
		target := targetOf(line.argv)
		if first, taken := owner[name]; taken && first != target {
			errs = append(errs, config.Field(fmt.Sprintf("commands[%d]", i), "it would be the same alert (check %q) as %s: give each command an [[instances]] block of its own, with its own check", name, first))
		}
		owner[name] = target
	}
	return errors.Join(errs...)
}

func (p *Probe) initMode() error {
	switch {
	case p.Mode != "json" && p.Mode != "nagios":
		return config.Field("mode", `%q is not a mode: choose "json" or "nagios"%s`, p.Mode, config.DidYouMean(p.Mode, []string{"json", "nagios"}))
	case p.Mode == "json" && p.Check != "":
		return config.Field("check", `only mode = "nagios" uses it; in mode "json" the command prints the check label itself`)
	}
	return nil
}

func (p *Probe) initLimits() error {
	var errs []error
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "10s"`))
	}
	errs = append(errs, config.Between("concurrency", p.Concurrency, 1, pipeline.MaxConcurrency))
	if p.MaxOutput < 1 {
		errs = append(errs, config.Field("max_output", `must be more than 0, as in "16MiB"`))
	}
	return errors.Join(errs...)
}

// MaxGather is every command at its timeout, in as many rounds as concurrency makes of them.
func (p *Probe) MaxGather() time.Duration {
	n := 0
	for _, line := range p.lines {
		if n++; line.isGlob() {
			n += globGuess - 1
		}
	}
	return pipeline.Rounds(n, p.Concurrency, p.Timeout.Std()+command.Overtime)
}

// Keys names what is known before anything ran: that each command works and, in nagios mode, its check.
func (p *Probe) Keys() []pipeline.Labels {
	var keys []pipeline.Labels
	seen := map[string]bool{}
	for _, line := range p.lines {
		target := line.target()
		if seen[target] {
			continue
		}
		seen[target] = true
		keys = append(keys, failureLabels(target))
		if p.Mode == "nagios" && !line.isGlob() {
			keys = append(keys, pipeline.L("check", p.checkName(line.argv)))
		}
	}
	return keys
}

// Gather runs every command once.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	jobs := p.expand(r)
	surroundings := p.Spec(nil)
	var done sync.Map
	r.ForEach(ctx, len(jobs), p.Concurrency,
		func(i int) pipeline.Labels { return failureLabels(jobs[i].target) },
		func(i int) {
			done.Store(i, true)
			p.run(ctx, r, &jobs[i], surroundings)
		})
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return unreached(jobs, &done)
	}
	return nil
}

// unreached tells of the commands whose turn never came.
func unreached(jobs []job, done *sync.Map) error {
	var left []string
	for i := range jobs {
		if _, ok := done.Load(i); !ok {
			left = append(left, jobs[i].target)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d commands were not run for want of time, the first of them %s: raise concurrency, lower timeout, or split the instance", len(left), len(jobs), left[0])
}
