package agent

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"catpaw/agent/api"
	"catpaw/inputs"
	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors"
	"catpaw/processors/inhibit"
	"catpaw/processors/silence"
)

// global is [global].
type global struct {
	// how often a check runs, unless its file or instance says otherwise
	Interval config.Duration `toml:"interval"`
	// where alerts and queues are kept; catpaw makes it, for its user only. Default: `state.d` beside the
	// configuration directory.
	StateDir string `toml:"state_dir"`
	// read the configuration again when its files change, once they have been left alone for a second or two
	Watch bool `toml:"watch_config"`
	// laid over the labels of every event. As labels make the alert key, hosts that report to one place need one that tells
	// them apart: `from_hostname = "$hostname"`, as the shipped configuration has it
	Labels map[string]string `toml:"labels"`
}

// defaultInterval is how often a check runs where nothing is said.
const defaultInterval = 30 * time.Second

// loader carries what the parts of one Load share.
type loader struct {
	source   Source
	errs     config.Errors
	warnings []string
	global   global
	idle     []api.Idle
	keys     map[string]*pipeline.Check // alert key → the check that gives it
}

// Load reads and judges everything. The error lists every fault, one a line, with file and line.
func (s Source) Load() (*Configuration, error) {
	l := &loader{source: s, keys: map[string]*pipeline.Check{},
		global: global{Interval: config.Duration(defaultInterval)}}
	root, dirs := l.readMain()
	if root == nil {
		return nil, l.errs.Err()
	}
	c := &Configuration{Log: defaultLogOptions()}
	l.decodeMain(root, c)
	c.StateDir, c.Labels, c.WatchConfig = l.stateDir(), l.global.Labels, l.global.Watch
	c.Outputs = l.outputs(root)
	if _, misplaced := root.Table()["instances"]; !misplaced {
		c.Checks = l.checks(dirs)
	}
	if len(c.Checks)+len(l.idle) == 0 && len(l.errs) == 0 { // one that watches nothing may be filled in while the agent runs
		l.errs = append(l.errs, &config.Error{File: s.Dir, Text: "there is nothing to check: put a p.<probe>/<name>.toml with [[instances]] there"})
	}
	c.Warnings, c.Idle = l.warnings, l.idle
	return c, l.errs.Err()
}

// StateDirectory is where the agent of this configuration keeps what must outlive it. Who asks wants to reach an
// agent that may run on what was right before: so only those faults matter that hide where that is.
func (s Source) StateDirectory() (string, error) {
	if s.StateDir != "" {
		return s.StateDir, nil
	}
	l := &loader{source: s}
	root, _ := l.readMain()
	if n := root.Get("global").Get("state_dir"); n != nil {
		config.Decode(&config.Node{File: n.File, Line: n.Line, Value: config.Table{"state_dir": n}}, &l.errs, &l.global)
	}
	if err := l.errs.Err(); err != nil {
		return "", fmt.Errorf("%w\nso it is not known where the running agent has its state directory; mend that, or give --state-dir", err)
	}
	return l.stateDir(), nil
}

func (l *loader) warn(at *config.Node, format string, args ...any) {
	l.warnings = append(l.warnings, (&config.Error{File: at.File, Line: at.Line, Text: fmt.Sprintf(format, args...)}).Error())
}

// readMain reads conf.d/*.toml as one table and finds the p.* directories.
func (l *loader) readMain() (root *config.Node, dirs []string) {
	entries, err := os.ReadDir(l.source.Dir)
	if err != nil {
		text := fmt.Sprintf("cannot read the configuration directory: %v; %s", cause(err), l.whereElse(err))
		l.errs = append(l.errs, &config.Error{File: l.source.Dir, Text: text})
		return nil, nil
	}
	root = &config.Node{File: l.source.Dir, Value: config.Table{}}
	for _, entry := range entries {
		isProbe := strings.HasPrefix(entry.Name(), "p.")
		if inputs.Table()[entry.Name()] != nil && entry.IsDir() {
			l.warn(&config.Node{File: filepath.Join(l.source.Dir, entry.Name())}, "this is not read: the directory of a probe begins with p., as in p.%s", entry.Name())
		}
		if !isProbe && !isConfiguration(entry.Name()) {
			continue
		}
		path := filepath.Join(l.source.Dir, entry.Name())
		info, err := os.Stat(path) // follows symbolic links
		switch {
		case err != nil:
			l.errs = append(l.errs, &config.Error{File: path, Text: fmt.Sprintf("cannot read: %v", cause(err))})
		case info.IsDir() && isProbe:
			dirs = append(dirs, path)
		case !info.IsDir() && isConfiguration(entry.Name()):
			if node := l.readFile(path); node != nil {
				l.merge(root, node)
			}
		}
	}
	if l.source.URL != "" {
		url := &config.Node{File: "-url", Value: l.source.URL}
		flashduty := &config.Node{File: "-url", Value: config.Table{"url": url}}
		root.Table()["flashduty"] = flashduty.Over(root.Get("flashduty"))
	}
	return root, dirs
}

// whereElse says what to do about a configuration directory that cannot be read.
func (l *loader) whereElse(err error) string {
	const another = "name another with -configs DIR"
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "ask as root or as the user whose it is, or " + another
	case !errors.Is(err, fs.ErrNotExist):
		return another
	case l.source.Sought != "":
		return "nor is there " + l.source.Sought + "; " + another + ", or write one: catpaw init"
	}
	return another + ", or write one: catpaw init"
}

// isConfiguration: only *.toml counts, and nothing hidden (an editor's lock and backup files).
func isConfiguration(name string) bool {
	return strings.HasSuffix(name, ".toml") && !strings.HasPrefix(name, ".")
}

func cause(err error) error {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err
	}
	return err
}

// readFile parses one file and resolves its variables; on a fault it returns nil.
func (l *loader) readFile(path string) *config.Node {
	node, err := config.ReadFile(path)
	if err != nil {
		l.errs = append(l.errs, err.(config.Errors)...)
		return nil
	}
	l.source.Vars.ExpandNode(node)
	return node
}

// merge adds a file to the main table: tables key by key, arrays of tables one behind the other; the
// same setting in two files is a fault, since neither is the better.
func (l *loader) merge(into, from *config.Node) {
	for _, key := range slices.Sorted(maps.Keys(from.Table())) {
		child := from.Table()[key]
		existing := into.Get(key)
		switch {
		case existing == nil:
			into.Table()[key] = child
		case existing.Table() != nil && child.Table() != nil:
			l.merge(existing, child)
		case isList(existing) && isList(child):
			existing.Value = append(existing.Value.(config.List), child.Value.(config.List)...)
		default:
			l.errs.Add(child, "%s is already set at %s:%d", key, existing.File, existing.Line)
		}
	}
}

func isList(n *config.Node) bool {
	_, ok := n.Value.(config.List)
	return ok
}

// decodeMain judges [global], [log] and [[processors.X]]. Outputs are judged elsewhere.
func (l *loader) decodeMain(root *config.Node, c *Configuration) {
	known := []string{"global", "log", "heartbeat", "status", "flashduty", "processors", "outputs"}
	for _, key := range slices.Sorted(maps.Keys(root.Table())) {
		if !slices.Contains(known, key) {
			hint := config.DidYouMean(key, known)
			if key == "instances" || key == "partials" {
				hint = "; it belongs into a file conf.d/p.<probe>/<name>.toml"
			}
			l.errs.Add(root.Get(key), "unknown section %q%s", key, hint)
		}
	}
	for _, key := range []string{"global", "log", "heartbeat", "status"} {
		if n := root.Get(key); n != nil {
			c.section("["+key+"]", "", n)
		}
	}
	if n := root.Get("global"); n != nil {
		config.Decode(n, &l.errs, &l.global)
		l.judgeInterval(n, l.global.Interval)
		l.judgeLabels(n)
	}
	if l.source.Interval > 0 {
		l.global.Interval = l.source.Interval
		l.judgeInterval(&config.Node{File: "-interval"}, l.source.Interval)
	}
	l.decodeLog(root.Get("log"), &c.Log)
	l.processors(root.Get("processors"), c)
	if n := root.Get("status"); n != nil {
		config.Decode(n, &l.errs, &c.page)
		l.errs.AddInit(n, c.page.Init())
	}
	if n := root.Get("heartbeat"); n != nil {
		c.heartbeat = defaultHeartbeat()
		config.Decode(n, &l.errs, &c.heartbeat)
		l.errs.AddInit(n, c.heartbeat.Init())
	}
}

// stateDir is the directory of what must outlive the process: beside the configuration's unless somebody
// says otherwise.
func (l *loader) stateDir() string {
	beside := filepath.Join(filepath.Dir(filepath.Clean(l.source.Dir)), "state.d")
	if filepath.Clean(l.source.Dir) == SystemConfigs {
		beside = systemState
	}
	return cmp.Or(l.source.StateDir, l.global.StateDir, beside)
}

func (l *loader) decodeLog(n *config.Node, options *LogOptions) {
	if n != nil {
		config.Decode(n, &l.errs, options)
		l.errs.AddInit(n, options.check())
	}
	if l.source.LogLevel != "" {
		options.Level = l.source.LogLevel
		l.errs.AddInit(&config.Node{File: "-loglevel"}, options.check())
	}
}

func (l *loader) processors(n *config.Node, c *Configuration) {
	if n == nil {
		return
	}
	if n.Table() == nil {
		l.errs.Add(n, "processors: write [[processors.NAME]], one for each")
	}
	known := slices.Sorted(maps.Keys(processors.Table()))
	for _, name := range slices.Sorted(maps.Keys(n.Table())) {
		of := n.Get(name)
		switch construct := processors.Table()[name]; {
		case construct == nil:
			l.errs.Add(of, "unknown processor %q%s Known: %s.", name, endSentence(config.DidYouMean(name, known)), strings.Join(known, ", "))
		case !isList(of):
			l.errs.Add(of, "write [[processors.%s]] with double brackets, one for each", name)
		default:
			for _, one := range children(of) {
				c.section("[[processors."+name+"]]", digest(one.Canonical()), one) // another is another, wherever it stands
				l.processor(one, construct(), c)
			}
		}
	}
}

// section notes a section; among is what tells those of one name apart.
func (c *Configuration) section(name, among string, n *config.Node) {
	c.Sections = append(c.Sections, Section{Name: name, Source: n.Place(), id: name + among, content: digest(n.Canonical())})
}

func (l *loader) processor(n *config.Node, options processors.Options, c *Configuration) {
	config.Decode(n, &l.errs, options)
	l.errs.AddInit(n, options.Init())
	switch one := options.(type) {
	case *silence.Window:
		one.Source = n.Place()
		c.Windows = append(c.Windows, one)
	case *inhibit.Rule:
		c.Inhibits = append(c.Inhibits, one)
	}
}

const shortestInterval = 100 * time.Millisecond

func (l *loader) judgeInterval(at *config.Node, d config.Duration) {
	if d.Std() < shortestInterval && !l.errs.At(at.Find("interval")) {
		l.errs.Add(at.Find("interval"), "interval: %s is too short: at least %s", d, shortestInterval)
	}
}
