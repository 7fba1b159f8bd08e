//go:build unix

package sfilter

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"catpaw/inputs/internal/linefilter"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// probe runs a shell script and looks for CRITICAL.
func probe(t testing.TB, script, more string) *Probe {
	t.Helper()
	p := New()
	if !strings.Contains(more, "filter_") {
		more += "\nfilter_include = ['*CRITICAL*']"
	}
	pipetest.Options(t, fmt.Sprintf("check = 'log'\ncommand = ['/bin/sh', '-c', '''%s''']\n%s", script, more), p)
	return p
}

func TestLinesThatMatchAreBad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, script, more string
		status             pipeline.Status
		says               []string
		not                string
	}{
		{"a line that matches", "echo fine; echo a CRITICAL thing", "", pipeline.Warning, []string{"`a CRITICAL thing`", "- **lines that match**: 1", "lines in all**: 2", "`*CRITICAL*`"}, "`fine`"},
		{"no line that matches", "echo fine", "", pipeline.Ok, []string{"none of 1 lines matches"}, ""},
		{"no output at all", "true", "", pipeline.Ok, []string{"none of 0 lines matches"}, ""},
		{"a last line without line feed", `printf "x\nCRITICAL"`, "", pipeline.Warning, []string{"`CRITICAL`"}, ""},
		{"lines as Windows ends them", `printf "done\r\n"`, "filter_include = ['done']", pipeline.Warning, []string{"`done`"}, ""},
		{"what is excluded is excused", "echo CRITICAL but harmless", "filter_include = ['*CRITICAL*']\nfilter_exclude = ['*harmless']", pipeline.Ok, nil, ""},
		{"with exclude alone all else is bad", "echo OK; echo odd", "filter_exclude = ['OK']", pipeline.Warning, []string{"`odd`", "anything, but for `OK`"}, "`OK`\n  "},
		{"a regular expression", "echo disk 17 failed", `filter_include = ['/disk \d+ failed/']`, pipeline.Warning, []string{"`disk 17 failed`"}, ""},
		{"a word is the whole line", "echo ready; echo not ready", "filter_include = ['ready']", pipeline.Warning, []string{"match**: 1"}, "`not ready`"},
		{"one on stderr and an exit status do not hide it", "echo CRITICAL; echo oops >&2; exit 3", "", pipeline.Warning, []string{"ended with**: exit status 3", "stderr**: oops"}, ""},
		{"an exit status is no fault", "echo fine; exit 1", "", pipeline.Ok, []string{"exit status 1"}, ""},
		{"nor is it with nothing printed", "exit 1", "", pipeline.Ok, nil, ""},
		{"bytes that are no text", `printf "CRITICAL \377\000\033[31m"`, "", pipeline.Warning, []string{"CRITICAL"}, "\x1b"},
		{"as many lines as are wanted are shown", "for i in 1 2 3 4; do echo CRITICAL $i; done", "max_lines = 2", pipeline.Warning, []string{"match**: 4", "CRITICAL 2", "… and 2 more"}, "CRITICAL 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events := pipetest.Gather(t, probe(t, c.script, c.more))
			e := pipetest.Find(t, events, "log", "")
			if e.Status != c.status || len(events) != 1 {
				t.Fatalf("%s: %s (%d events)", e.Status, e.Description, len(events))
			}
			for _, piece := range c.says {
				if !strings.Contains(e.Description, piece) {
					t.Errorf("%q does not say %q", e.Description, piece)
				}
			}
			if c.not != "" && strings.Contains(e.Description, c.not) {
				t.Errorf("%q says %q", e.Description, c.not)
			}
		})
	}
}

func TestManyLongLinesFitTheDescription(t *testing.T) {
	t.Parallel()
	e := pipetest.Gather(t, probe(t, `for i in $(seq 100); do printf "CRITICAL %01000d\n" $i; done; head -c 3000 /dev/zero | tr "\0" x >&2; exit 2`, "max_lines = 100"))[0]
	if len(e.Description) > pipeline.MaxDescription || !strings.Contains(e.Description, "match**: 100") || !strings.Contains(e.Description, "look further") {
		t.Errorf("%d bytes: %s", len(e.Description), e.Description)
	}
}

func TestWhatWasMeasured(t *testing.T) {
	t.Parallel()
	e := pipetest.Gather(t, probe(t, "echo one; echo CRITICAL; exit 4", ""))[0]
	want := map[string]any{"exit_status": int64(4), "lines": int64(2), "lines_matched": int64(1), "output_bytes": int64(13)}
	for _, a := range e.Attrs {
		if value, ok := want[a.Key]; ok && value != a.Value {
			t.Errorf("%s = %v, want %v", a.Key, a.Value, value)
		}
		delete(want, a.Key)
	}
	if len(want) != 0 {
		t.Errorf("missing %v", want)
	}
}

func TestACommandThatDoesNotDoItsWork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, options, want string }{
		{"one that is not there", "command = '/no/such/command --x'", "/no/such/command --x: cannot start it: no such file"},
		{"one that a shell cannot find", "command = ['/bin/sh', '-c', 'no-such-command-xx']", "printed nothing and ended with exit status 127"},
		{"one that complains and prints nothing", "command = ['/bin/sh', '-c', 'echo not permitted >&2; exit 1']", "printed nothing and ended with exit status 1: not permitted"},
		{"one that dies", "command = ['/bin/sh', '-c', 'kill -9 $$']", "printed nothing and ended with signal killed"},
		{"one that takes too long", "command = 'sleep 1000'\ntimeout = '50ms'", "sleep 1000 did not finish within the timeout of 50ms and was killed"},
		{"a directory that is not there", "command = 'true'\nworking_dir = '/no/such/dir'", "/no/such/dir: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := New()
			pipetest.Options(t, "check = 'log'\nfilter_include = ['*x*']\n"+c.options, p)
			events, end, err := pipetest.GatherEnd(t, p)
			pipetest.WantError(t, err, c.want)
			if len(events) != 0 || end.Well {
				t.Errorf("%d events, %+v", len(events), end)
			}
		})
	}
}

func TestWhatMatchedBeforeTheTimeoutIsTold(t *testing.T) {
	t.Parallel()
	p := probe(t, "echo CRITICAL; exec sleep 1000", "timeout = '300ms'")
	events, end, err := pipetest.GatherEnd(t, p)
	if err == nil || end.Well || len(events) != 1 || events[0].Status != pipeline.Warning {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestSurroundings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := pipetest.Gather(t, probe(t, `echo "$A in $(pwd -P)"`, fmt.Sprintf("env.A = 'here'\nworking_dir = %q\nfilter_include = ['here*']", dir)))[0]
	if resolved, _ := filepath.EvalSymlinks(dir); !strings.Contains(e.Description, "here in "+resolved) {
		t.Error(e.Description)
	}
}

func TestAnInstanceWithoutCommandWatchesNothing(t *testing.T) {
	t.Parallel()
	if New().Idle() != "command is empty" {
		t.Error("it is not idle")
	}
	if p := probe(t, "true", ""); p.Idle() != "" {
		t.Error(p.Idle())
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const good = "command = 'x'\ncheck = 'c'\nfilter_include = ['a']\n"
	for _, c := range []struct{ name, options, want string }{
		{"no filter", "command = 'x'\ncheck = 'c'", "filter_include: say which lines are bad"},
		{"a wrong glob", "command = 'x'\ncheck = 'c'\nfilter_exclude = ['a', '[']", `test.toml:3: filter_exclude[1]: the glob "[" is wrong`},
		{"no name", "command = 'x'\nfilter_include = ['a']", "check: give the alert a name"},
		{"an open quote", "command = \"x 'y\"\ncheck = 'c'\nfilter_include = ['a']", "test.toml:1: command: unterminated single-quoted string: close it"},
		{"an empty command", "command = ['']\ncheck = 'c'\nfilter_include = ['a']", "command: it is empty"},
		{"no line to show", good + "max_lines = 0", "test.toml:4: max_lines: 0 is not between 1 and 1000"},
		{"no time", good + "timeout = 0", "test.toml:4: timeout: must be more than 0"},
		{"a relative directory", good + "working_dir = 'x'", `working_dir: "x" must be an absolute path`},
		{"a user that is not", good + "user = 'no-such-user-xx'", `user: there is no user "no-such-user-xx"`},
		{"a variable without a name", good + "env = { \"A=B\" = 'x' }", `env: "A=B" cannot be the name of a variable`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pipetest.WantError(t, pipetest.TryOptions(c.options, New()), c.want)
		})
	}
	p := New()
	pipetest.Options(t, "command = 'dmesg | tail'\ncheck = 'c'\nfilter_include = ['error', '*b*', '/c/', 'two words']", p)
	if w := p.Warnings(); len(w) != 2 || !strings.Contains(w[0], `filter_include[0]: "error" matches only lines that are exactly this; for lines that hold it write "*error*"`) ||
		!strings.Contains(w[1], `no shell runs this, so "|" is an argument`) {
		t.Errorf("warnings %q", w)
	}
}

func TestLinesOfAnyLengthAndReadsOfAnySize(t *testing.T) {
	t.Parallel()
	o := linefilter.Options{FilterInclude: []string{"*needle*"}}
	if err := o.Compile(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 10<<20)
	for name, c := range map[string]struct {
		text           string
		lines, matched int64
	}{
		"a line of 10 MiB without line feed":             {long, 1, 0},
		"what comes behind it is seen":                   {long + "\na needle\n", 2, 1},
		"its beginning is seen":                          {"needle" + long + "\n", 1, 1},
		"what is deep in it is not":                      {long + "needle" + long + "\n", 1, 0},
		"two of them":                                    {long + "\n" + long + "\nneedle", 3, 1},
		"just as long as the buffer":                     {strings.Repeat("y", window) + "\nneedle\n", 2, 1},
		"just as long as the buffer, with its line feed": {strings.Repeat("y", window-1) + "\nneedle\n", 2, 1},
		"one more":    {strings.Repeat("y", window+1) + "\nneedle\n", 2, 1},
		"empty lines": {"\n\n\nneedle\n\n", 5, 1},
		"nothing":     {"", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scanner{filter: &o, most: 5}
			s.read(bytes.NewReader([]byte(c.text)))
			if s.lines != c.lines || s.matched != c.matched {
				t.Errorf("%d lines, %d matched", s.lines, s.matched)
			}
			if len(c.text) < 2*window {
				s := &scanner{filter: &o, most: 5}
				s.read(iotest.OneByteReader(strings.NewReader(c.text)))
				if s.lines != c.lines || s.matched != c.matched {
					t.Errorf("byte by byte: %d lines, %d matched", s.lines, s.matched)
				}
			}
		})
	}
}
