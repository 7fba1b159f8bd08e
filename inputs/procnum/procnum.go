// Package procnum counts processes. procnum.go holds the options, search.go looks, tell.go makes events of
// what was seen. The process table is read once for all checks: table.go shares it, guard.go keeps a process
// that hangs from holding up the rest, column.go searches it, reader_*.go read it from the system. pidfile.go and
// service_*.go are other ways to find a process.
package procnum

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// off is the value of alert_if_num_gt that is no bound: 0 is one.
const off = -1

// Probe counts the processes that answer to a search and compares the number with its bounds.
type Probe struct {
	// the name of the alert; required
	Check string `toml:"check"`

	// One of these, the first that is set.
	// text in the Name of a process (whole, not cut at 15 characters), in the first word of its command line, or in
	// the path of its executable where that may be read
	SearchExec string `toml:"search_exec_substring"`
	// text in its arguments, joined by blanks; of these the first 256 KiB
	SearchCmdline string `toml:"search_cmdline_substring"`
	// Windows: a service; 1 while it runs, 0 while it is stopped, paused, starting or stopping, or does not exist
	SearchService string `toml:"search_win_service"`
	// These narrow the search, or stand alone.
	// only processes with this effective user, by name or number; on Windows by name, also `DOMAIN\name`
	SearchUser string `toml:"search_user"`
	// only the process whose number this file begins with; an absolute path. 0 while the file is missing, empty, or
	// names none that lives
	SearchPidFile string `toml:"search_pid_file"`

	// bad with fewer; 0 = no bound
	AlertIfLt int `toml:"alert_if_num_lt"`
	// bad with more; 0 = there must be none, -1 = no bound
	AlertIfGt int `toml:"alert_if_num_gt"`

	table   *Table
	service queryService
	goos    string
	self    string // the user that the agent runs as, as in the column of users
	seen    uint64 // number of the last snapshot
	head    string // what every description begins with
}

// New returns the probe with its defaults. All probes that share a table read the processes once.
func New(table *Table) *Probe {
	return &Probe{AlertIfGt: off, table: table, service: askServiceManager, goos: runtime.GOOS, self: ownUser()}
}

// Idle is true of an instance that searches for nothing, as 0.8 ships one.
func (p *Probe) Idle() string {
	if p.SearchExec+p.SearchCmdline+p.SearchService+p.SearchUser+p.SearchPidFile == "" {
		return "no search option is set"
	}
	return ""
}

// Init judges the options.
func (p *Probe) Init() error {
	errs := []error{p.initCheck(), p.initSearches(), p.initService(), p.initPidFile(), p.initBounds()}
	p.head = p.describeSearch()
	return errors.Join(errs...)
}

func (p *Probe) initCheck() error {
	switch {
	case strings.TrimSpace(p.Check) == "":
		return config.Field("check", `give the alert a name, as in check = "nginx is running"`)
	case strings.ContainsFunc(p.Check, unicode.IsControl):
		return config.Field("check", "must not hold control characters")
	}
	return nil
}

func (p *Probe) initSearches() error {
	var errs []error
	for _, search := range []struct{ option, value string }{
		{"search_exec_substring", p.SearchExec}, {"search_cmdline_substring", p.SearchCmdline},
		{"search_win_service", p.SearchService}, {"search_user", p.SearchUser}, {"search_pid_file", p.SearchPidFile},
	} {
		switch {
		case search.value == "":
		case strings.TrimSpace(search.value) == "":
			errs = append(errs, config.Field(search.option, "is blank and would find nearly everything"))
		case strings.ContainsFunc(search.value, unicode.IsControl):
			errs = append(errs, config.Field(search.option, "must not hold control characters"))
		}
	}
	return errors.Join(errs...)
}

// asksService reports whether the search is for a Windows service: only where no other comes before it.
func (p *Probe) asksService() bool {
	return p.SearchService != "" && p.SearchExec == "" && p.SearchCmdline == ""
}

func (p *Probe) initService() error {
	if !p.asksService() {
		return nil
	}
	var errs []error
	if p.goos != "windows" {
		errs = append(errs, config.Field("search_win_service", "only Windows has services of this kind, and this is %s: search with search_exec_substring or search_pid_file", p.goos))
	}
	for _, other := range []struct{ option, value string }{{"search_user", p.SearchUser}, {"search_pid_file", p.SearchPidFile}} {
		if other.value != "" {
			errs = append(errs, config.Field(other.option, "does not go together with search_win_service: a service is one process at most"))
		}
	}
	return errors.Join(errs...)
}

func (p *Probe) initPidFile() error {
	if p.SearchPidFile == "" || filepath.IsAbs(p.SearchPidFile) {
		return nil
	}
	return config.Field("search_pid_file", `%q is not absolute: write the whole path, as in "/run/nginx.pid"`, p.SearchPidFile)
}

func (p *Probe) initBounds() error {
	var errs []error
	if p.AlertIfLt < 0 {
		errs = append(errs, config.Field("alert_if_num_lt", "%d is negative: no number of processes is less", p.AlertIfLt))
	}
	if p.AlertIfGt < off {
		errs = append(errs, config.Field("alert_if_num_gt", "%d is negative: give the largest number that is well, 0 where there must be none, -1 for no bound", p.AlertIfGt))
	}
	switch {
	case p.AlertIfLt == 0 && p.AlertIfGt == off:
		errs = append(errs, config.Field("alert_if_num_lt", "say how many processes are too few, as in alert_if_num_lt = 1, or too many, with alert_if_num_gt"))
	case p.AlertIfGt >= 0 && p.AlertIfLt > p.AlertIfGt:
		errs = append(errs, config.Field("alert_if_num_gt", "no number is well: fewer than %d are too few, and more than %d too many", p.AlertIfLt, p.AlertIfGt))
	case p.asksService() && p.AlertIfLt > 1:
		errs = append(errs, config.Field("alert_if_num_lt", "a service is one process at most: fewer than %d it is always", p.AlertIfLt))
	case p.SearchPidFile != "" && p.AlertIfLt > 1:
		errs = append(errs, config.Field("alert_if_num_lt", "search_pid_file finds one process at most: fewer than %d it is always", p.AlertIfLt))
	}
	return errors.Join(errs...)
}

// Warnings names searches that another one leaves without effect, as in the original.
func (p *Probe) Warnings() (warnings []string) {
	first := ""
	for _, search := range []struct{ option, value string }{
		{"search_exec_substring", p.SearchExec}, {"search_cmdline_substring", p.SearchCmdline}, {"search_win_service", p.SearchService},
	} {
		switch {
		case search.value == "":
		case first == "":
			first = search.option
		default:
			warnings = append(warnings, search.option+" has no effect: "+first+" comes first")
		}
	}
	return warnings
}

// MaxGather is far beyond what a process table takes; a process that hangs takes a few seconds, once.
func (p *Probe) MaxGather() time.Duration { return 30 * time.Second }

// Keys names the one alert.
func (p *Probe) Keys() []pipeline.Labels { return []pipeline.Labels{p.labels()} }

func (p *Probe) labels() pipeline.Labels { return pipeline.L("check", p.Check) }

// Gather counts once.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	s, err := p.search(ctx)
	if err != nil {
		return err
	}
	r.Add(p.judge(s))
	return nil
}
