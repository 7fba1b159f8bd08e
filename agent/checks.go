package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"catpaw/agent/api"
	"catpaw/internal/config"
	"catpaw/internal/redact"
	"catpaw/pipeline"
	"catpaw/processors/labels"
)

// pluginFile is the top level of a file in conf.d/p.<probe>.
type pluginFile struct {
	// how often the checks of this file run. Default: that of `[global]`.
	Interval *config.Duration `toml:"interval"`
	// added to every event of the checks of this file
	Labels map[string]string `toml:"labels"`
	// the checks
	Instances []struct{} `toml:"instances"` // what is in them is decoded by who knows its options
	// what several checks share: options under an `id`, which an instance takes over with `partial`
	Partials []struct{} `toml:"partials"`

	node *config.Node
}

// shared are the options that every check has beside those of its probe.
type shared struct {
	// from start to start; at least 0.1 s. A check never overlaps itself: a late one skips ticks. Default: that of the
	// file, else of `[global]`.
	Interval *config.Duration `toml:"interval"`
	// added to every event of the check
	Labels map[string]string `toml:"labels"`
	// id of the `[[partials]]` that gives defaults
	Partial string `toml:"partial"`
	// when to tell, see `[instances.alerting]`
	Alerting pipeline.Policy `toml:"alerting"`
}

// sharedKeys are no part of a check's identity.
var sharedKeys = []string{"interval", "labels", "partial", "alerting"}

func (l *loader) checks(dirs []string) (checks []*pipeline.Check) {
	table := l.source.probes()
	known := slices.Sorted(maps.Keys(table))
	for _, name := range l.source.Plugins {
		if table[name] == nil {
			l.errs = append(l.errs, &config.Error{File: "-plugins", Text: fmt.Sprintf("unknown probe %q%s", name, config.DidYouMean(name, known))})
		}
	}
	for _, dir := range dirs {
		name := strings.TrimPrefix(filepath.Base(dir), "p.")
		if len(l.source.Plugins) > 0 && !slices.Contains(l.source.Plugins, name) {
			continue
		}
		if table[name] == nil {
			l.errs = append(l.errs, &config.Error{File: dir, Text: fmt.Sprintf("there is no probe %q%s Known: %s.",
				name, endSentence(config.DidYouMean(name, known)), strings.Join(known, ", "))})
			continue
		}
		checks = append(checks, l.pluginDir(dir, name, table[name])...)
	}
	tellApart(checks)
	return checks
}

func endSentence(hint string) string {
	if hint == "" {
		return "."
	}
	return hint
}

// pluginDir reads every file of one probe, then its instances, which may name partials of any file. Those that are
// judged are told apart beside it, in their order: of 1,000 that is a start 2 ms sooner where there is a second processor.
func (l *loader) pluginDir(dir, plugin string, construct func() pipeline.Input) (checks []*pipeline.Check) {
	files := l.pluginFiles(dir)
	partials := l.partials(files, construct)
	judged := make(chan *draft, 100)
	var beside sync.WaitGroup
	told := &loader{keys: l.keys}
	beside.Go(func() {
		for d := range judged {
			d.identify()
			told.findTwins(d)
			checks = append(checks, d.check)
		}
	})
	for _, file := range files {
		for _, instance := range children(file.node.Get("instances")) {
			if d := l.draft(file, instance, partials, plugin, construct()); d != nil {
				judged <- d
			}
		}
	}
	close(judged)
	beside.Wait()
	l.errs, l.warnings = append(l.errs, told.errs...), append(l.warnings, told.warnings...)
	return checks
}

func (l *loader) pluginFiles(dir string) (files []*pluginFile) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.errs = append(l.errs, &config.Error{File: dir, Text: fmt.Sprintf("cannot read: %v", cause(err))})
	}
	for _, entry := range entries {
		if !isConfiguration(entry.Name()) {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			continue
		}
		node := l.readFile(path)
		if node == nil {
			continue
		}
		file := &pluginFile{node: node}
		config.Decode(node.Without("instances", "partials"), &l.errs, file)
		for _, key := range []string{"instances", "partials"} {
			if n := node.Get(key); n != nil && !isList(n) {
				l.errs.Add(n, "%s: write [[%s]] with double brackets, one for each", key, key)
			}
		}
		l.judgeLabels(node)
		if file.Interval != nil {
			l.judgeInterval(node, *file.Interval)
		}
		files = append(files, file)
	}
	return files
}

func children(n *config.Node) config.List {
	if n == nil {
		return nil
	}
	list, _ := n.Value.(config.List)
	return list
}

// partials collects [[partials]] by id. Each is judged by itself, so that a fault shows even in one
// that no instance names.
func (l *loader) partials(files []*pluginFile, construct func() pipeline.Input) map[string]*config.Node {
	byID := map[string]*config.Node{}
	for _, file := range files {
		for _, node := range children(file.node.Get("partials")) {
			id, _ := valueOf(node.Get("id")).(string)
			switch {
			case id == "":
				l.errs.Add(node, `a partial needs an id: id = "default"`)
			case byID[id] != nil:
				l.errs.Add(node.Get("id"), "partial %q is already defined at %s:%d", id, byID[id].File, byID[id].Line)
			default:
				byID[id] = node.Without("id", "partial")
				config.Decode(byID[id], &l.errs, &shared{Alerting: pipeline.DefaultPolicy()}, construct())
			}
		}
	}
	return byID
}

func valueOf(n *config.Node) any {
	if n == nil {
		return nil
	}
	return n.Value
}

// draft is a check that was judged by itself.
type draft struct {
	check   *pipeline.Check
	options *config.Node      // its own, over those of its partial
	keys    []pipeline.Labels // that its input knows beforehand
}

// draft makes a check of one [[instances]] block, or notes what is wrong with it.
func (l *loader) draft(file *pluginFile, instance *config.Node, partials map[string]*config.Node, plugin string, input pipeline.Input) *draft {
	faults := len(l.errs)
	merged := instance
	if n := instance.Get("partial"); n != nil {
		id, _ := n.Value.(string)
		if partials[id] == nil {
			l.errs.Add(n, "partial: there is no [[partials]] with id = %q%s", id, config.DidYouMean(id, slices.Sorted(maps.Keys(partials))))
		} else {
			merged = instance.Over(partials[id])
		}
	}
	own := shared{Alerting: pipeline.DefaultPolicy()}
	config.Decode(merged, &l.errs, &own, input)
	l.judgePolicy(merged, own.Alerting)
	l.judgeLabels(merged)
	idle := whyIdle(input)
	if idle == "" {
		l.errs.AddInit(merged, input.Init())
	}
	check := &pipeline.Check{
		Plugin: plugin, Policy: own.Alerting, Input: input,
		Source:   instance.Place(),
		Interval: l.global.Interval.Std(),
		Labels:   mergeLabels(plugin, file.Labels, own.Labels, l.global.Labels),
	}
	for _, interval := range []*config.Duration{file.Interval, own.Interval} {
		if interval != nil {
			check.Interval = interval.Std()
		}
	}
	if own.Interval != nil {
		l.judgeInterval(merged, *own.Interval)
	}
	if len(l.errs) > faults {
		return nil
	}
	if idle != "" {
		if idle != pipeline.NoTargets {
			l.warn(instance, "%s: this instance watches nothing", idle)
		}
		l.idle = append(l.idle, api.Idle{Plugin: plugin, Source: check.Source, LooksAt: "nothing: " + idle})
		return nil
	}
	if warner, ok := input.(pipeline.Warner); ok {
		for _, warning := range warner.Warnings() {
			l.warn(instance, "%s", warning)
		}
	}
	return &draft{check, merged, keysOf(input)}
}

// identify says which check it is, to the agent and to people.
func (d *draft) identify() {
	c := d.check
	c.ID = c.Plugin + "/" + digest(c.Plugin, d.options.Canonical(sharedKeys...))[:8]
	c.Content = digest(c.Plugin, d.options.Canonical(), c.Interval.String()+" "+c.Labels.String())
	c.LooksAt = looksAt(d.keys)
}

// keysOf are the labels of the alerts that an input knows beforehand.
func keysOf(input pipeline.Input) []pipeline.Labels {
	if keyed, ok := input.(pipeline.Keyed); ok {
		return keyed.Keys()
	}
	return nil
}

// whyIdle is what an instance lacks to have anything to do, "" where it lacks nothing.
func whyIdle(input pipeline.Input) string {
	if idler, ok := input.(pipeline.Idler); ok {
		return idler.Idle()
	}
	return ""
}

// judgeLabels refuses what would be lost on whoever reads it.
func (l *loader) judgeLabels(n *config.Node) {
	for name, value := range n.Get("labels").Table() {
		text, _ := value.Value.(string)
		if strings.TrimSpace(name) == "" || strings.ContainsFunc(name+text, unicode.IsControl) {
			l.errs.Add(value, "labels: a name must not be empty, and neither name nor value hold control characters")
		}
	}
}

// judgePolicy finds numbers that make no sense. Zero counts mean one where one is meant.
func (l *loader) judgePolicy(n *config.Node, p pipeline.Policy) {
	for _, number := range []struct {
		name  string
		value int
	}{{"for_checks", p.ForChecks}, {"repeat_number", p.RepeatNumber}, {"recover_checks", p.RecoverChecks}} {
		if number.value < 0 {
			l.errs.Add(n.Find("alerting."+number.name), "alerting.%s: %d is negative", number.name, number.value)
		}
	}
}

// mergeLabels lays the levels of the configuration over each other, later ones winning.
func mergeLabels(plugin string, levels ...map[string]string) pipeline.Labels {
	all := map[string]string{"from_plugin": plugin}
	for _, level := range levels {
		maps.Copy(all, level)
	}
	return pipeline.LabelsOf(all)
}

// tellApart gives checks that look at the same thing names of their own, by their labels: not by their
// place in the file, or removing one would rename the others.
func tellApart(checks []*pipeline.Check) {
	alike := make(map[string]int, len(checks))
	for _, check := range checks {
		alike[check.ID]++
	}
	taken := make(map[string]int, len(checks))
	for _, check := range checks {
		if alike[check.ID] > 1 {
			check.ID += "-" + digest(check.Labels.String())[:4]
		}
		if taken[check.ID]++; taken[check.ID] > 1 {
			check.ID = fmt.Sprintf("%s-%d", check.ID, taken[check.ID])
		}
	}
}

// digest tells texts apart, whatever is in them.
func digest(parts ...string) string {
	size := 0
	for _, part := range parts {
		size += len("1048576:") + len(part)
	}
	all := make([]byte, 0, size)
	for _, part := range parts {
		all = append(strconv.AppendInt(all, int64(len(part)), 10), ':')
		all = append(all, part...)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:])
}

// findTwins refuses a check that would report under another one's alert key: the two would open and
// close one alert in turn. Within one check it is a warning: a target listed twice is looked at twice.
func (l *loader) findTwins(d *draft) {
	check := d.check
	if !check.Policy.Enabled {
		return
	}
	for _, own := range d.keys {
		own.Sort()
		all := pipeline.Merge(own, check.Labels)
		key := labels.Key(all)
		twin := l.keys[key]
		switch {
		case twin == nil:
			l.keys[key] = check
		case twin == check:
			l.warn(d.options, "two targets give the same alert (%s); it is looked at twice", redact.Logins(own.String()))
		default:
			l.errs.Add(d.options, "gives the same alert key as the check at %s (%s): give one of them another label", twin.Source, redact.Logins(own.String()))
			return
		}
	}
}
