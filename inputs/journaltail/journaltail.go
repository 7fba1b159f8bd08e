// Package journaltail watches systemd's journal for lines that tell of trouble. It runs journalctl from the
// cursor at which the run before ended, so no line is told twice and none is missed, over restarts too.
//
//	streams ─► journalctl -o json --cursor=… ─► decoder ─► own lines out ─► filter ─┐
//	   └── the cursor of each, remembered with ◄── judge: bad while a line is young ◄┘
//
// journaltail.go holds the options, gather.go one run, read.go the reading of one stream and command.go
// one call of journalctl; decode.go, text.go and scan.go understand what it prints, forms.go says what patterns are matched
// against, memory.go is what is kept, tell.go and why.go are the words.
package journaltail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"catpaw/inputs/internal/linefilter"
	"catpaw/internal/command"
	"catpaw/internal/config"
	"catpaw/pipeline"
)

// maxShown is the most that max_lines may be: a description has no room for more.
const maxShown = 100

// Probe reads the journal. Its alert is bad while a matching line is younger than TimeSpan.
type Probe struct {
	// the alert's name
	Check string `toml:"check"`
	linefilter.Options
	// how long a line is bad, by its own time. One that is already older when it is first seen (the agent was down) is
	// told once. The very first run looks back so far
	TimeSpan config.Duration `toml:"time_span"`
	// list, as `journalctl -u` each, globs too. Default: all.
	Units []string `toml:"units"`
	// list, as `journalctl -t` each. Default: all.
	Identifiers []string `toml:"identifiers"`
	// as `journalctl -p`: `"err"`, `"3"` or a range, `"warning..emerg"`. Default: all.
	Priority string `toml:"priority"`
	// read the journal files there, as `journalctl -D`. Default: this host's journal.
	Directory string `toml:"directory"`
	// matching lines shown, the newest, as far as they fit; all are counted. At most 100
	MaxLines int `toml:"max_lines"`
	// of a run
	Timeout config.Duration `toml:"timeout"`

	goos       string
	journalctl string // the program
	now        func() time.Time
	zone       *time.Location // in which journalctl prints times
	self       identity
	limit      func(context.Context, time.Duration) (context.Context, context.CancelFunc)

	began    time.Time // the first run of this process: from there on nothing may be missed
	noFields bool      // this journalctl does not know --output-fields
	turn     int       // of which stream it is to be read first
}

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{
		TimeSpan:   config.Duration(time.Minute),
		MaxLines:   20,
		Timeout:    config.Duration(10 * time.Second),
		goos:       runtime.GOOS,
		journalctl: "journalctl",
		now:        time.Now,
		zone:       time.Local,
		self:       whoAmI(),
		limit:      withTimeout,
	}
}

func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, command.ErrTimeout)
}

// whoAmI describes this process as the journal would.
func whoAmI() identity {
	name := filepath.Base(os.Args[0])
	exe, _ := os.Executable() // "" matches nothing
	return identity{names: []string{agentName, name}, exe: exe, comm: name[:min(len(name), commLength)], pid: strconv.Itoa(os.Getpid())}
}

// Init judges the options.
func (p *Probe) Init() error {
	if p.goos != "linux" {
		return errors.New("journaltail reads systemd's journal, which exists on Linux only: remove this instance from this host")
	}
	return errors.Join(p.initCheck(), p.Compile(), p.initNumbers(), p.initChoice())
}

func (p *Probe) initCheck() error {
	if p.Check == "" {
		return config.Field("check", `give the alert a name, as in check = "kernel trouble"`)
	}
	return nil
}

func (p *Probe) initNumbers() error {
	var errs []error
	if p.TimeSpan <= 0 {
		errs = append(errs, config.Field("time_span", `must be more than 0, as in "1m"`))
	}
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "10s"`))
	}
	errs = append(errs, config.Between("max_lines", p.MaxLines, 1, maxShown))
	return errors.Join(errs...)
}

func (p *Probe) initChoice() error {
	var errs []error
	for option, values := range map[string][]string{"units": p.Units, "identifiers": p.Identifiers} {
		for i, value := range values {
			if value == "" || strings.ContainsRune(value, 0) {
				errs = append(errs, config.Field(fmt.Sprintf("%s[%d]", option, i), "%q cannot be a name: write it as journalctl shows it", value))
			}
		}
	}
	if err := judgePriority(p.Priority); err != nil {
		errs = append(errs, config.Field("priority", "%v", err))
	}
	if p.Directory != "" && (!filepath.IsAbs(p.Directory) || strings.ContainsRune(p.Directory, 0)) {
		errs = append(errs, config.Field("directory", "%q must be an absolute path", p.Directory))
	}
	return errors.Join(errs...)
}

// priorities are the names of 0 to 7.
var priorities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// judgePriority takes what journalctl -p takes: one level, or two as a range.
func judgePriority(text string) error {
	if text == "" {
		return nil
	}
	low, high, isRange := strings.Cut(text, "..")
	levels := []string{low}
	if isRange {
		levels = append(levels, high)
	}
	for _, level := range levels {
		if !slices.Contains(priorities, level) && (len(level) != 1 || level[0] < '0' || level[0] > '7') {
			return fmt.Errorf(`%q is not a priority: choose one of %s, 0 to 7, or a range as in "warning..emerg"%s`,
				level, strings.Join(priorities, ", "), config.DidYouMean(level, priorities))
		}
	}
	return nil
}

// Warnings tells of odd patterns, and of identifiers that can give nothing.
func (p *Probe) Warnings() []string {
	warnings := p.Options.Warnings()
	if i := slices.Index(p.Identifiers, agentName); i >= 0 {
		warnings = append(warnings, fmt.Sprintf("identifiers[%d]: the agent's own lines are never read, so %q gives nothing", i, agentName))
	}
	return warnings
}

// MaxGather is the timeout, and what it takes to end journalctl then.
func (p *Probe) MaxGather() time.Duration {
	return pipeline.Rounds(1, 1, p.Timeout.Std()) + 2*command.Overtime
}

// Keys names the one alert.
func (p *Probe) Keys() []pipeline.Labels { return []pipeline.Labels{p.labels()} }

func (p *Probe) labels() pipeline.Labels { return pipeline.L("check", p.Check) }
