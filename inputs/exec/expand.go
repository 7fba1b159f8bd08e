package exec

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"catpaw/inputs/internal/cmdline"
	"catpaw/internal/config"
	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// line is one configured command.
type line struct {
	argv []string
	text string // a glob as it was configured, else ""
}

func (l *line) isGlob() bool { return l.text != "" }

// target names the line in labels.
func (l *line) target() string {
	if l.isGlob() {
		return label(l.text)
	}
	return targetOf(l.argv)
}

func parseLine(c config.Command) (line, error) {
	argv, err := cmdline.Parse(c)
	if err != nil || c.Line == "" || !strings.ContainsAny(argv[0], `*?[`) {
		return line{argv: argv}, err
	}
	if _, err := filepath.Match(argv[0], ""); err != nil {
		return line{}, fmt.Errorf("%q is not a glob: a [ is not closed; a path that really holds one can be written as an array of arguments", argv[0])
	}
	return line{argv: argv, text: strings.TrimSpace(c.Line)}, nil
}

// Warnings tells of command lines that look as if a shell were to run them.
func (p *Probe) Warnings() (warnings []string) {
	for i, c := range p.Commands {
		if warning := cmdline.ShellWarning(c); warning != "" {
			warnings = append(warnings, fmt.Sprintf("commands[%d]: %s", i, warning))
		}
	}
	return warnings
}

// job is one command of one run.
type job struct {
	argv   []string
	target string // names it in labels, and as the source of its events
	fault  string // why it cannot be run, "" = it can
	check  string // nagios: the check label
}

// jobList collects the jobs of one run, each command once.
type jobList struct {
	probe *Probe
	jobs  []job
	seen  map[string]bool   // argv
	named map[string]string // nagios: check label → target of the job that has it
}

// add adds a job, unless it is there already, and returns its target.
func (l *jobList) add(argv []string, fault string) string {
	next := job{argv: argv, target: targetOf(argv), fault: fault}
	key := strings.Join(argv, "\x00")
	if l.seen[key] {
		return next.target
	}
	l.seen[key] = true
	if l.probe.Mode == "nagios" {
		l.name(&next)
	}
	l.jobs = append(l.jobs, next)
	return next.target
}

// name gives a job its check label. A job whose label another one has cannot be run: both would be one alert.
func (l *jobList) name(j *job) {
	check := l.probe.checkName(j.argv)
	if first, taken := l.named[check]; taken {
		j.fault = fmt.Sprintf("it would be the same alert (check %q) as %s, so it was not run: give it an [[instances]] block of its own, with its own check", check, first)
		return
	}
	l.named[check] = j.target
	j.check = check
}

// expand makes the jobs of this run: what the globs match now, each command once. Globs report here
// whether they match.
func (p *Probe) expand(r *pipeline.Report) []job {
	list := jobList{probe: p, seen: map[string]bool{}, named: map[string]string{}}
	for i := range p.lines {
		line := &p.lines[i]
		if !line.isGlob() {
			list.add(line.argv, "")
			continue
		}
		var targets []string
		for _, path := range p.glob(line.argv[0]) {
			argv := append([]string{path}, line.argv[1:]...)
			targets = append(targets, list.add(argv, notRunnable(path)))
		}
		p.reportGlob(r, line, targets)
	}
	return list.jobs
}

// glob returns the paths that match, in name order. A path that exists as it is written, brackets and
// all, matches too.
func (p *Probe) glob(pattern string) []string {
	pattern = p.inWorkingDir(pattern)
	paths, _ := filepath.Glob(pattern) // the only error is a bad pattern, which Init has refused
	if len(paths) == 0 {
		if _, err := os.Lstat(pattern); err == nil {
			return []string{pattern}
		}
	}
	return paths
}

// inWorkingDir makes a pattern absolute: a match without a slash would be looked up in PATH.
func (p *Probe) inWorkingDir(pattern string) string {
	if filepath.IsAbs(pattern) {
		return pattern
	}
	if p.WorkingDir != "" {
		return filepath.Join(p.WorkingDir, pattern)
	}
	if absolute, err := filepath.Abs(pattern); err == nil {
		return absolute
	}
	return pattern
}

// notRunnable says why a path that a glob matched cannot be run, or "".
func notRunnable(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		var perr *os.PathError
		if errors.As(err, &perr) {
			err = perr.Err
		}
		return "the glob matches it, but it cannot be looked at: " + err.Error()
	case info.IsDir():
		return "the glob matches it, but it is a directory: make the glob narrower, as in *.sh"
	case !info.Mode().IsRegular():
		return "the glob matches it, but it is not a regular file"
	case info.Mode()&0o111 == 0 && runtime.GOOS != "windows":
		return "the glob matches it, but it is not executable: chmod +x it, or make the glob narrower"
	}
	return ""
}

// reportGlob tells whether a glob matches anything. While it does not, alerts of what it matched before
// are not taken to be over.
func (p *Probe) reportGlob(r *pipeline.Report, line *line, targets []string) {
	target := line.target()
	event := pipeline.Event{Labels: failureLabels(target), Source: target, Status: pipeline.Ok}
	event.Attrs = []pipeline.Attr{{Key: "matches", Value: int64(len(targets))}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(targets) > 0 {
		p.matched[target] = targets
		event.Description = "the glob matches a command or more"
		r.Add(event)
		return
	}
	before, known := p.matched[target]
	if !known {
		r.Incomplete("") // nobody knows what it matched before the agent started
	}
	for _, source := range before {
		r.Incomplete(source)
	}
	r.Incomplete(target)
	event.Status = pipeline.Bad
	event.Description = new(markdown.Builder).Item("command", "%s", line.text).
		Item("expected", "at least one file that matches").
		Item("found", "%s", whyNoMatch(p.inWorkingDir(line.argv[0]))).String()
	r.Add(event)
}

// whyNoMatch looks for the reason where filepath.Glob keeps it to itself.
func whyNoMatch(pattern string) string {
	dir := filepath.Dir(pattern)
	if !strings.ContainsAny(dir, `*?[`) {
		if _, err := os.ReadDir(dir); err != nil {
			return "nothing: " + err.Error()
		}
		return "nothing in " + dir
	}
	return "nothing"
}

// checkName is the check label in nagios mode.
func (p *Probe) checkName(argv []string) string {
	if p.Check != "" {
		return p.Check
	}
	return filepath.Base(argv[0])
}

func failureLabels(target string) pipeline.Labels {
	return pipeline.Labels{{Key: "check", Value: failed}, {Key: "target", Value: target}}
}

func targetOf(argv []string) string { return label(cmdline.Target(argv)) }

// maxTarget is the most bytes of a command in a label.
const maxTarget = 200

// label makes one line of at most maxTarget bytes. What that changes ends in a hash of the whole, so
// that two long commands that begin alike stay two.
func label(text string) string {
	flat := strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD")
	if flat == text && len(text) <= maxTarget {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	const hashed = len(" … #") + 8
	return printable.Head(flat, maxTarget-hashed) + " … #" + hex.EncodeToString(sum[:4])
}
