package agent

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"catpaw/internal/config"
	"catpaw/outputs"
	"catpaw/pipeline"
)

// sharedOutput are the options that every output has beside its own.
type sharedOutput struct {
	// identity of the output and its queue, up to 64 letters, digits, blanks and `._-`; two of a kind need names of
	// their own. Default: its kind.
	Name string `toml:"name"`
	// of one try
	Timeout config.Duration `toml:"timeout"`
	// tries at the same time; events of one alert always one after the other. Default: `4`, of stdout `1`.
	Concurrency int `toml:"concurrency"`
	// its bounds, see below
	Queue queueOptions `toml:"queue"`
	routeOptions
}

func defaultOutput() sharedOutput {
	return sharedOutput{
		Timeout:      config.Duration(5 * time.Second),
		Queue:        queueOptions{MaxEvents: 100_000, MaxBytes: 256 << 20},
		routeOptions: routeOptions{MinSeverity: pipeline.Severity(pipeline.Info), Recovery: true},
	}
}

// routeOptions say of what an output is to hear.
type routeOptions struct {
	// hear of alerts that are, or have been in this episode, at least so bad
	MinSeverity pipeline.Severity `toml:"min_severity"`
	// labels and globs: `{ from_plugin = "http", env = ["prod*", "staging"] }`. Every label must fit one of its globs;
	// a label that is not there is empty. Default: everything.
	Match map[string]config.Strings `toml:"match"`
	// likewise; an alert of which any label fits is left out
	MatchNot map[string]config.Strings `toml:"match_not"`
	// hear when an alert is over
	Recovery bool `toml:"recovery"`
}

func (o *routeOptions) route() (route pipeline.Route, err error) {
	match, err1 := pipeline.CompileLabels("match", o.Match)
	matchNot, err2 := pipeline.CompileLabels("match_not", o.MatchNot)
	return pipeline.Route{
		MinSeverity: pipeline.Status(o.MinSeverity), Match: match, MatchNot: matchNot, NoRecovery: !o.Recovery,
	}, errors.Join(err1, err2)
}

// queueOptions bound a queue; beyond them events are merged by alert.
type queueOptions struct {
	// beyond so many events, at least 100, they are merged by alert
	MaxEvents int `toml:"max_events"`
	// likewise beyond so many bytes, at least 1 MiB
	MaxBytes config.Size `toml:"max_bytes"`
}

// isName reports whether a terminal, a URL and a file can show it. (As a regular expression it took 1.5 MB for good.)
func isName(text string) bool {
	const longest = 64 // letters
	for i, r := range text {
		plain := unicode.IsLetter(r) || unicode.IsNumber(r)
		if !plain && (i == 0 || !strings.ContainsRune(" ._-", r)) {
			return false
		}
	}
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= longest
}

func (q queueOptions) check() error {
	return errors.Join(
		config.Between("queue.max_events", q.MaxEvents, 100, 100_000_000),
		config.Between("queue.max_bytes", int(q.MaxBytes), 1<<20, 1<<40),
	)
}

// outputs makes the outputs of [[outputs.X]] and of the original's [flashduty].
func (l *loader) outputs(root *config.Node) (specs []*pipeline.OutputSpec) {
	table := outputs.Table()
	known := slices.Sorted(maps.Keys(table))
	if n := root.Get("flashduty"); n != nil {
		if url, _ := valueOf(n.Get("url")).(string); url == "" && n.Table() != nil {
			l.warn(n, "[flashduty] has no url; nothing is sent there")
		} else {
			specs = append(specs, l.output("flashduty", table["flashduty"], n, specs))
		}
	}
	if all := root.Get("outputs"); all != nil {
		if all.Table() == nil {
			l.errs.Add(all, "outputs: write [[outputs.NAME]], one for each")
		}
		for _, name := range slices.Sorted(maps.Keys(all.Table())) {
			n := all.Get(name)
			kind, ok := table[name]
			switch {
			case !ok:
				l.errs.Add(n, "unknown output %q%s Known: %s.", name, endSentence(config.DidYouMean(name, known)), strings.Join(known, ", "))
			case !isList(n):
				l.errs.Add(n, "write [[outputs.%s]] with double brackets, one for each", name)
			default:
				for _, one := range children(n) {
					specs = append(specs, l.output(name, kind, one, specs))
				}
			}
		}
	}
	specs = slices.DeleteFunc(specs, func(s *pipeline.OutputSpec) bool { return s == nil })
	if len(specs) == 0 && len(l.errs) == 0 {
		l.warn(root, "no output is configured: events go to standard output, as JSON lines")
		nothing := &config.Node{File: "the default", Value: config.Table{}}
		specs = append(specs, l.output("stdout", table["stdout"], nothing, nil))
	}
	return specs
}

func (l *loader) output(plugin string, kind outputs.Kind, n *config.Node, before []*pipeline.OutputSpec) *pipeline.OutputSpec {
	faults := len(l.errs)
	options := defaultOutput()
	options.Name, options.Concurrency = plugin, kind.Concurrency
	output := kind.New()
	config.Decode(n, &l.errs, &options, output)
	route, err := options.route()
	l.errs.AddInit(n, errors.Join(output.Init(), options.Queue.check(), err))
	if options.Concurrency < 1 || options.Concurrency > 1000 {
		l.errs.Add(n.Find("concurrency"), "concurrency: %d is not between 1 and 1000", options.Concurrency)
	}
	if !isName(options.Name) {
		l.errs.Add(n.Find("name"), "name: %q cannot be the name of a queue: up to 64 letters, digits, blanks and ._-, the first a letter or digit", options.Name)
	}
	if options.Timeout <= 0 {
		l.errs.Add(n.Find("timeout"), "timeout: it must be more than 0")
	}
	for _, other := range before {
		if other != nil && other.Name == options.Name {
			l.errs.Add(n.Find("name"), "the output at %s is already called %q: give each a name of its own", other.Source, options.Name)
		}
	}
	if len(l.errs) > faults {
		return nil
	}
	return &pipeline.OutputSpec{
		Name: options.Name, Plugin: plugin, Output: output, Route: route,
		Source:      n.Place(),
		Content:     digest(plugin, n.Canonical()),
		Timeout:     options.Timeout.Std(),
		Concurrency: options.Concurrency,
		MaxEvents:   options.Queue.MaxEvents,
		MaxBytes:    int64(options.Queue.MaxBytes),
	}
}
