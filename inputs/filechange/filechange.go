// Package filechange tells when files change: their content, mode, owner, times, or that they come and go.
// filechange.go holds the options and one run from above; find.go expands the globs, look.go and state.go
// take a file's state, sum.go its checksum; judge.go compares with what is remembered, change.go is one
// change, memory.go what lasts from run to run and codec.go how that is written down; tell.go and words.go
// make the event.
package filechange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Probe watches files, named one by one or by globs. All of them share one alert.
type Probe struct {
	// names the alert
	Check string `toml:"check"`
	// files and globs: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, and `**` for any number of directories. Globs find files,
	// not directories; with `**` they do not follow links to directories. A directory without wildcards is watched
	// itself: for entries that come and go
	Filepaths []string `toml:"filepaths"`
	// globs of what the globs shall not find: names (`"*.swp"`) or whole paths (`"/etc/ssl/private"`)
	Exclude []string `toml:"exclude"`
	// how long a change is bad
	TimeSpan config.Duration `toml:"time_span"`
	// also compare the SHA-256 of the content: so "touched, content the same" is told from a write. Files are read
	// when they are new, when size or times changed, and while their last change is younger than a minute
	Checksum bool `toml:"checksum"`
	// the most that is read in one run; what is left waits for the next
	MaxChecksumBytes config.Size `toml:"max_checksum_bytes"`
	// files that are watched and remembered, at most 100,000
	MaxFiles int `toml:"max_files"`
	// of one run; checksums not taken by then wait for the next
	Timeout config.Duration `toml:"timeout"`

	now  func() time.Time
	open func(path string) (*os.File, error) // for its checksum

	literal []string // sorted, each once
	globs   []glob

	memory *memory   // decoded from memo
	memo   []byte    // what was last recalled or remembered
	looked time.Time // when the last run that went well looked; zero = none since the start
}

// maxFilesLimit is the most that max_files may be: 100,000 files are 7 MB in the store.
const maxFilesLimit = 100_000

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{
		TimeSpan:         config.Duration(3 * time.Minute),
		MaxChecksumBytes: 256 << 20,
		MaxFiles:         10_000,
		Timeout:          config.Duration(10 * time.Second),
		now:              time.Now,
		open:             openFile,
	}
}

// Idle is true of an instance without files.
func (p *Probe) Idle() string {
	if len(p.Filepaths) == 0 {
		return "filepaths is empty"
	}
	return ""
}

// Init judges the options.
func (p *Probe) Init() error {
	return errors.Join(p.initNumbers(), p.initPaths(), p.initExclude())
}

func (p *Probe) initNumbers() error {
	var errs []error
	if strings.TrimSpace(p.Check) == "" {
		errs = append(errs, config.Field("check", `is missing: name the alert, as in check = "configuration changed"`))
	}
	if p.TimeSpan <= 0 {
		errs = append(errs, config.Field("time_span", `must be more than 0, as in "3m": it is how long a change stays bad`))
	}
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "10s"`))
	}
	if p.MaxChecksumBytes < 1 {
		errs = append(errs, config.Field("max_checksum_bytes", `must be more than 0, as in "256MiB"; checksum = false reads nothing`))
	}
	errs = append(errs, config.Between("max_files", p.MaxFiles, 1, maxFilesLimit))
	return errors.Join(errs...)
}

func (p *Probe) initPaths() error {
	var errs []error
	p.literal, p.globs = nil, nil
	for i, text := range p.Filepaths {
		path, err := cleanPath(text)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("filepaths[%d]", i), "%v", err))
		} else if isGlob(path) {
			p.globs = append(p.globs, newGlob(path))
		} else {
			p.literal = append(p.literal, path)
		}
	}
	slices.Sort(p.literal)
	p.literal = slices.Compact(p.literal)
	if len(p.literal) > p.MaxFiles {
		errs = append(errs, config.Field("filepaths", "names %d files, more than max_files = %d", len(p.literal), p.MaxFiles))
	}
	return errors.Join(errs...)
}

func (p *Probe) initExclude() error {
	var errs []error
	excluded := make([]string, 0, len(p.Exclude))
	for i, text := range p.Exclude {
		pattern, err := cleanPath(text)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("exclude[%d]", i), "%v", err))
		} else if !strings.ContainsAny(text, `/`+string(filepath.Separator)) {
			pattern = text // of a name, wherever it is
		}
		excluded = append(excluded, filepath.ToSlash(pattern))
	}
	if len(p.Exclude) > 0 && len(p.globs) == 0 && len(p.Filepaths) > 0 {
		errs = append(errs, config.Field("exclude", "takes away from what globs find, and filepaths has none"))
	}
	for i := range p.globs {
		p.globs[i].exclude = excluded
	}
	return errors.Join(errs...)
}

// cleanPath judges a path or glob and makes it absolute, so that every spelling of it is the same.
func cleanPath(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", errors.New("it is empty: name a file or a glob")
	}
	if strings.ContainsRune(text, 0) {
		return "", errors.New("it holds a NUL byte, which no path can")
	}
	if isGlob(text) && !doublestar.ValidatePattern(filepath.ToSlash(text)) {
		return "", fmt.Errorf("%q is not a glob: a [ or { is not closed; \\ before a character takes it as it is", text)
	}
	path, err := filepath.Abs(text)
	if err != nil {
		return "", fmt.Errorf("%q cannot be made absolute: %w", text, err)
	}
	return path, nil
}

// MaxGather is the timeout.
func (p *Probe) MaxGather() time.Duration { return p.Timeout.Std() }

// Keys names the one alert.
func (p *Probe) Keys() []pipeline.Labels { return []pipeline.Labels{p.labels()} }

func (p *Probe) labels() pipeline.Labels { return pipeline.L("check", p.Check) }

// Warnings tells of options that do less than they seem to.
func (p *Probe) Warnings() (warnings []string) {
	for i, text := range p.Filepaths {
		for segment := range strings.SplitSeq(filepath.ToSlash(text), "/") {
			if segment != "**" && strings.Contains(segment, "**") {
				warnings = append(warnings, fmt.Sprintf(
					"filepaths[%d]: ** stands for directories only as a part of its own, as in /etc/**/*.conf; in %q it is a single *", i, segment))
			}
		}
	}
	return warnings
}

// Gather looks at every file once and reports one result.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	was, lost := p.recall(r.Recall())
	ctx, cancel := context.WithTimeout(ctx, p.Timeout.Std())
	defer cancel()
	now := p.now()
	v := p.view(ctx, was)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("finding the files and looking at them took longer than timeout (%s): raise timeout, or make the globs in filepaths narrower", p.Timeout)
	}
	if err := ctx.Err(); err != nil { // the agent stops
		return err
	}
	if p.Checksum {
		p.sum(ctx, v, now)
	}
	next := p.judge(v, was, now)
	v.lost = lost
	r.Add(p.event(v, next, now))
	if next != was {
		p.memory, p.memo = next, next.encode()
		r.Remember(p.memo)
	}
	p.looked = now
	return nil
}

// recall decodes what is remembered, unless it is what this probe remembered itself. The error says why
// it could not be read.
func (p *Probe) recall(memo []byte) (*memory, error) {
	if memo == nil {
		return &memory{empty: true}, nil
	}
	// The very bytes that were remembered come back, which bytes.Equal sees at once, where decoding 10,000
	// files takes 5 ms.
	if p.memory != nil && bytes.Equal(memo, p.memo) {
		return p.memory, nil
	}
	decoded, err := decode(memo)
	if err != nil {
		return &memory{empty: true}, err
	}
	p.memory, p.memo = decoded, memo
	return decoded, nil
}
