// Package mtime watches when the files below a directory were last changed: it tells of those that
// changed a short while ago, or that none did (a backup that stopped). mtime.go holds the options,
// walk.go goes through a tree with several workers, folder.go is what it asks of the system, tally.go
// what it keeps of what it saw; look.go is one look at one directory and tell.go words its result.
package mtime

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"catpaw/internal/config"
	"catpaw/internal/match"
	"catpaw/pipeline"
)

// What alert_if may be.
const (
	changed = "changed"
	stale   = "stale"
)

// maxConcurrency bounds the workers of a walk: each has a buffer, and on a file system that hangs each
// takes a thread with it.
const maxConcurrency = 64

// Probe looks at every directory, one after the other, each with several workers.
type Probe struct {
	// what is watched, one or several; both may be given
	Directory string `toml:"directory"`
	// what is watched, one or several; both may be given
	Directories []string `toml:"directories"`
	// the `check` label; needed
	Check string `toml:"check"`
	// `"changed"` or `"stale"`
	AlertIf string `toml:"alert_if"`
	// `changed` also counts what changed since the last look, where that is longer ago
	TimeSpan config.Duration `toml:"time_span"`
	// `false` = only the files in the directory itself
	Recursive bool `toml:"recursive"`
	// `1` = the directory itself, `2` = and the directories in it …; 0 = no limit
	MaxDepth int `toml:"max_depth"`
	// globs, compared with the path below the directory (`"cache/*"`; `*` stands for any text, slashes too) and with
	// the name alone (`"*.tmp"`, `".git"`). An excluded directory is not entered
	Exclude []string `toml:"exclude"`
	// workers that go through one directory at once, at most 64; directories are looked at one after the other
	Concurrency int `toml:"concurrency"`
	// of one directory
	Timeout config.Duration `toml:"timeout"`

	places  []*place
	exclude *match.Set
	now     func() time.Time
	open    func(path string) (folder, error)
	grace   time.Duration // for the workers to come home after a walk's end
	goos    string
}

// place is one directory that is watched.
type place struct {
	path   string
	labels pipeline.Labels // shared by all its events
	lost   *walk           // its workers did not come home; nil = none
	looked time.Time       // when the last look began that came to its end
}

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{
		AlertIf:     changed,
		TimeSpan:    config.Duration(3 * time.Minute),
		Recursive:   true,
		Concurrency: 4,
		Timeout:     config.Duration(time.Minute),
		now:         time.Now,
		open:        openFolder,
		grace:       time.Second,
		goos:        runtime.GOOS,
	}
}

// Idle is true of an instance without directories.
func (p *Probe) Idle() string {
	if p.Directory == "" && len(p.Directories) == 0 {
		return "directory is empty"
	}
	return ""
}

// Init judges the options.
func (p *Probe) Init() error {
	return errors.Join(p.initPlaces(), p.initVerdict(), p.initWalk(), p.initExclude())
}

func (p *Probe) initPlaces() error {
	var errs []error
	p.places = nil
	add := func(option, path string) {
		if path == "" || strings.ContainsRune(path, 0) {
			errs = append(errs, config.Field(option, `%q cannot be a directory: name one, as in "/var/backups"`, path))
			return
		}
		p.places = append(p.places, &place{path: path, labels: pipeline.L("check", p.Check, "directory", path)})
	}
	if p.Directory != "" {
		add("directory", p.Directory)
	}
	for i, path := range p.Directories {
		add(fmt.Sprintf("directories[%d]", i), path)
	}
	if p.Check == "" {
		errs = append(errs, config.Field("check", `give the check a name: it is the label by which its alerts are known, as in check = "files in /etc changed"`))
	}
	return errors.Join(errs...)
}

func (p *Probe) initVerdict() error {
	var errs []error
	if known := []string{changed, stale}; !slices.Contains(known, p.AlertIf) {
		errs = append(errs, config.Field("alert_if", `%q is not one of "changed", "stale"%s`, p.AlertIf, config.DidYouMean(p.AlertIf, known)))
	}
	if p.TimeSpan <= 0 {
		errs = append(errs, config.Field("time_span", `must be more than 0, as in "3m"`))
	}
	return errors.Join(errs...)
}

func (p *Probe) initWalk() error {
	var errs []error
	switch {
	case p.MaxDepth < 0:
		errs = append(errs, config.Field("max_depth", "must be 0 (no limit) or more; 1 is the directory itself without those in it"))
	case p.MaxDepth > 0 && !p.Recursive:
		errs = append(errs, config.Field("max_depth", "counts only with recursive = true"))
	}
	errs = append(errs, config.Between("concurrency", p.Concurrency, 1, maxConcurrency))
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "1m"`))
	}
	return errors.Join(errs...)
}

func (p *Probe) initExclude() error {
	var errs []error
	for i, pattern := range p.Exclude {
		if why := neverMatches(pattern); why != "" {
			errs = append(errs, config.Field(fmt.Sprintf("exclude[%d]", i), "%q would exclude nothing: %s", pattern, why))
		}
	}
	set, err := match.CompileSet(p.Exclude)
	for _, fault := range match.Faults(err) {
		errs = append(errs, config.Field(fmt.Sprintf("exclude[%d]", fault.Index), "%v", fault.Err))
	}
	p.exclude = set
	return errors.Join(errs...)
}

// neverMatches finds patterns that no path below a directory can match, as others would write them.
func neverMatches(pattern string) string {
	switch {
	case pattern == "":
		return "it is empty"
	case strings.HasPrefix(pattern, "/"):
		return `it is compared with paths below the directory, as in "cache/*", and with names, as in "*.tmp"`
	case strings.HasPrefix(pattern, "./"):
		return `leave out the "./"`
	case strings.HasSuffix(pattern, "/"):
		return `leave out the last "/": a directory's name excludes all that is in it`
	}
	return ""
}

// MaxGather is every directory at its timeout.
func (p *Probe) MaxGather() time.Duration {
	return pipeline.Rounds(len(p.places), 1, p.Timeout.Std()+p.grace)
}

// Keys names the alert of every directory.
func (p *Probe) Keys() []pipeline.Labels {
	var keys []pipeline.Labels
	for _, place := range p.places {
		keys = append(keys, slices.Clone(place.labels))
	}
	return keys
}
