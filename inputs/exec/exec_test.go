//go:build unix

package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"catpaw/internal/command"
	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script writes an executable shell script and returns its path. The fork lock keeps commands of other
// tests from inheriting the open file, which would make running it fail as "text file busy".
func script(t testing.TB, dir, name, body string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// probe makes a probe from TOML.
func probe(t testing.TB, format string, args ...any) *Probe {
	t.Helper()
	p := New()
	pipetest.Options(t, fmt.Sprintf(format, args...), p)
	return p
}

// inline makes a probe that runs one shell script.
func inline(t testing.TB, body, options string) *Probe {
	t.Helper()
	return probe(t, "commands = [['/bin/sh', '-c', '''%s''']]\n%s", body, options)
}

// outcomeOf finds the one result that tells whether a command worked.
func outcomeOf(t testing.TB, events []*pipeline.Event) *pipeline.Event {
	t.Helper()
	return pipetest.Find(t, events, failed, "")
}

func wantText(t testing.TB, text string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(text, piece) {
			t.Errorf("%q does not say %q", text, piece)
		}
	}
}

func attr(e *pipeline.Event, key string) any {
	for _, a := range e.Attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

func TestEveryWrongOptionIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ toml, want string }{
		"an empty line":                   {`commands = ["true", " "]`, "test.toml:1: commands[1]: it is empty"},
		"an empty array":                  {`commands = [[]]`, "commands[0]: it is empty"},
		"a quote that is not closed":      {`commands = ["echo 'x"]`, "commands[0]: unterminated single-quoted string"},
		"a glob that is none":             {`commands = ["/opt/[.sh"]`, `"/opt/[.sh" is not a glob`},
		"a NUL byte":                      {`commands = [["echo", "a\u0000b"]]`, "NUL byte"},
		"neither line nor array":          {`commands = [7]`, "commands[0]: expected a command line or an array"},
		"an unknown mode":                 {"commands = ['true']\nmode = 'nagois'", `test.toml:2: mode: "nagois" is not a mode: choose "json" or "nagios"; did you mean "nagios"?`},
		"check in JSON mode":              {"commands = ['true']\ncheck = 'x'", `test.toml:2: check: only mode = "nagios" uses it`},
		"no timeout":                      {"commands = ['true']\ntimeout = 0", "test.toml:2: timeout: must be more than 0"},
		"no concurrency":                  {"commands = ['true']\nconcurrency = 0", "test.toml:2: concurrency: 0 is not between 1 and 10000"},
		"no output allowed":               {"commands = ['true']\nmax_output = 0", "test.toml:2: max_output: must be more than 0"},
		"a relative directory":            {"commands = ['true']\nworking_dir = 'x'", "test.toml:2: working_dir: \"x\" must be an absolute path"},
		"a variable without a name":       {"commands = ['true']\nenv = {'a=b' = 'c'}", `test.toml:2: env: "a=b" cannot be the name`},
		"a NUL byte in a variable":        {"commands = ['true']\nenv = {a = \"x\\u0000\"}", `test.toml:2: env.a: the value must not hold a NUL byte`},
		"a user that does not exist":      {"commands = ['true']\nuser = 'no-such-user-xx'", `test.toml:2: user: there is no user "no-such-user-xx"`},
		"one name for two plugins":        {"commands = ['/a/check_x', '/b/check_x']\nmode = 'nagios'", `test.toml:1: commands[1]: it would be the same alert (check "check_x") as /a/check_x`},
		"one check for two plugins":       {"commands = ['/a/x', '/b/y']\nmode = 'nagios'\ncheck = 'c'", `commands[1]: it would be the same alert (check "c")`},
		"one check for all of a glob":     {"commands = ['/a/*']\nmode = 'nagios'\ncheck = 'c'", "test.toml:3: check: commands[0] is a glob"},
		"everything at once, first fault": {"commands = ['']\nmode = 'x'\ntimeout = 0", "test.toml:1: commands[0]"},
		"everything at once, last fault":  {"commands = ['']\nmode = 'x'\ntimeout = 0", "test.toml:3: timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pipetest.WantError(t, pipetest.TryOptions(c.toml, New()), c.want)
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	p := probe(t, "commands = ['true']")
	if p.Mode != "json" || p.Timeout.Std() != 10*time.Second || p.Concurrency != 5 || p.MaxOutput != 16<<20 {
		t.Errorf("defaults %+v", p)
	}
}

func TestTheLongestRunCountsRoundsAndGlobs(t *testing.T) {
	t.Parallel()
	one := 10*time.Second + command.Overtime
	for toml, rounds := range map[string]time.Duration{
		"commands = ['a']":                          1,
		"commands = ['a', 'b', 'c', 'd', 'e', 'f']": 2,
		"commands = ['/a/*']":                       20,
		"commands = ['a', 'b', 'c', 'd', 'e', 'f']\nconcurrency = 1\nenv = {}": 6,
	} {
		if got := probe(t, "%s", toml).MaxGather(); got != rounds*one {
			t.Errorf("%s: %v, want %v", toml, got, rounds*one)
		}
	}
}

func TestKeysAreWhatIsKnownBeforehand(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(probe(t, "commands = ['/a/x -v', '/b/*.sh', ['/a/x', '-v']]\nmode = 'nagios'").Keys())
	want := "[check=exec command failed target=/a/x -v check=x check=exec command failed target=/b/*.sh]"
	if got != want {
		t.Errorf("keys %s\nwant %s", got, want)
	}
}

func TestAGlobRunsEachMatchInNameOrderOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b.sh", "a.sh", "c.txt"} {
		script(t, dir, name, `echo '[{"event_status":"Info","labels":{"check":"'"$0 $1"'"}}]'`)
	}
	p := probe(t, "commands = ['%s/*.sh -x', '%s/a.sh -x', '%s/[a]*.sh -x']\nconcurrency = 1", dir, dir, dir)
	var order []string
	for _, e := range pipetest.Gather(t, p) {
		if e.Status == pipeline.Info {
			order = append(order, strings.TrimPrefix(e.Labels.Get("check"), dir))
		}
	}
	if !slices.Equal(order, []string{"/a.sh -x", "/b.sh -x"}) {
		t.Errorf("ran %q", order)
	}
}

func TestAGlobWithoutMatchIsBadUntilAFileAppears(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := probe(t, "commands = ['%s/*.sh']", dir)
	events, end, _ := pipetest.GatherEnd(t, p)
	e := pipetest.Find(t, events, failed, dir+"/*.sh")
	if e.Status != pipeline.Warning || len(events) != 1 || !end.Incomplete[""] {
		t.Errorf("%d events, status %v, end %+v", len(events), e.Status, end)
	}
	wantText(t, e.Description, "nothing in "+dir)

	path := script(t, dir, "a.sh", "")
	events, end, _ = pipetest.GatherEnd(t, p)
	if len(events) != 2 || len(end.Incomplete) != 0 || pipetest.Find(t, events, failed, dir+"/*.sh").Status != pipeline.Ok ||
		pipetest.Find(t, events, failed, path).Status != pipeline.Ok {
		t.Errorf("after the file appeared: %d events, end %+v", len(events), end)
	}

	os.RemoveAll(dir)
	events, end, _ = pipetest.GatherEnd(t, p)
	if !end.Incomplete[path] || end.Incomplete[""] {
		t.Errorf("alerts of what it matched before should stay: %+v", end)
	}
	wantText(t, pipetest.Find(t, events, failed, dir+"/*.sh").Description, "no such file or directory")
}

func TestWhatAGlobMatchesButCannotRunIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "sub"), 0o755)
	os.WriteFile(filepath.Join(dir, "data"), nil, 0o644)
	os.Symlink("nowhere", filepath.Join(dir, "link"))
	events, end, _ := pipetest.GatherEnd(t, probe(t, "commands = ['%s/*']", dir))
	for name, want := range map[string]string{"sub": "is a directory", "data": "not executable", "link": "no such file"} {
		e := pipetest.Find(t, events, failed, filepath.Join(dir, name))
		if e.Status != pipeline.Warning || !end.Incomplete[filepath.Join(dir, name)] {
			t.Errorf("%s: status %v, end %+v", name, e.Status, end)
		}
		wantText(t, e.Description, want)
	}
}

func TestAPathWithBlanksAndBracketsRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := script(t, dir, "my [1] check.sh", `echo '{"event_status":"info","labels":{"check":"c","arg":"'"$1"'"}}'`)
	e := pipetest.Find(t, pipetest.Gather(t, probe(t, `commands = ["'%s' 'a b'"]`, path)), "c", "")
	if e.Labels.Get("arg") != "a b" {
		t.Errorf("labels %v", e.Labels)
	}
}

func TestAnArrayIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	e := outcomeOf(t, pipetest.Gather(t, probe(t, "commands = [['/bin/*', \"x'\"]]")))
	wantText(t, e.Description, "cannot start it: no such file or directory")
}

func TestWorkingDirectoryEnvironmentAndUser(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/run/notify")
	dir, _ := filepath.EvalSymlinks(t.TempDir())
	script(t, dir, "x.sh", `echo '{"event_status":"Info","labels":{"check":"c","pwd":"'"$(pwd -P)"'","a":"'"$A"'","socket":"'"$NOTIFY_SOCKET"'","user":"'"$LOGNAME"'"}}'`)
	options := fmt.Sprintf("working_dir = '%s'\nenv = {A = 'b c'}\nuser = '%d'", dir, os.Geteuid())
	for _, line := range []string{"./x.sh", "*.sh"} {
		e := pipetest.Find(t, pipetest.Gather(t, probe(t, "commands = ['%s']\n%s", line, options)), "c", "")
		if e.Labels.Get("pwd") != dir || e.Labels.Get("a") != "b c" || e.Labels.Get("socket") != "" || e.Labels.Get("user") == "" {
			t.Errorf("%s: labels %v", line, e.Labels)
		}
	}
}

func TestTheTimeoutIsToldAndEventsBeforeItCount(t *testing.T) {
	t.Parallel()
	p := inline(t, `echo '[{"event_status":"Critical","labels":{"check":"c"}},'; sleep 1000`, "timeout = 0.3")
	events, end, err := pipetest.GatherEnd(t, p)
	if err != nil || pipetest.Find(t, events, "c", "").Status != pipeline.Critical {
		t.Error("the event before the timeout should count", err)
	}
	e := outcomeOf(t, events)
	wantText(t, e.Description, "did not finish within the timeout of 300ms", "**events that count**: 1")
	if e.Status != pipeline.Warning || !end.Incomplete[e.Source] || strings.Contains(e.Description, "broken") {
		t.Errorf("event %+v, end %+v", e, end)
	}
}

func TestMaxOutputIsToldAndEventsBeforeItCount(t *testing.T) {
	t.Parallel()
	p := inline(t, `echo '[{"event_status":"Critical","labels":{"check":"c"}},'; yes 'null,'`, "max_output = '10KB'")
	events, end, _ := pipetest.GatherEnd(t, p)
	pipetest.Find(t, events, "c", "")
	e := outcomeOf(t, events)
	wantText(t, e.Description, "more than max_output (10000 bytes)")
	if !end.Incomplete[e.Source] {
		t.Errorf("end %+v", end)
	}
}

func TestWhenTheAgentStopsNothingIsToldOfTheCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	if err := syscall.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		os.ReadFile(ready) // returns once the script has written to it
		cancel()
	}()
	p := inline(t, "echo x >"+ready+"; sleep 1000", "")
	events, end, err := pipeline.Look(ctx, pipetest.Check(p))
	if err != nil || len(events) != 0 || len(end.Incomplete) == 0 {
		t.Errorf("events %v, end %+v, error %v", events, end, err)
	}
}

func TestCommandsWhoseTurnNeverCameAreAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p := probe(t, "commands = ['sleep 1000', 'true']\nconcurrency = 1")
	_, end, err := pipeline.Look(ctx, pipetest.Check(p))
	pipetest.WantError(t, err, "1 of 2 commands were not run", "true")
	if end.Well {
		t.Error("the run did not go well")
	}
}

func TestConcurrencyIsTheMostAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	body := `mkdir ` + dir + `/lock 2>/dev/null || echo '{"event_status":"Critical","labels":{"check":"two at once"}}'
sleep 0.05; rmdir ` + dir + `/lock`
	for _, name := range []string{"a.sh", "b.sh", "c.sh"} {
		script(t, dir, name, body)
	}
	for _, e := range pipetest.Gather(t, probe(t, "commands = ['%s/*.sh']\nconcurrency = 1", dir)) {
		if e.Status != pipeline.Ok {
			t.Errorf("%v: %s", e.Labels, e.Description)
		}
	}
}

func TestLongCommandsKeepTheirLabelsApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 150)
	a, b := targetOf([]string{"x", long + "1"}), targetOf([]string{"x", long + "2"})
	if a == b || len(a) > maxTarget || len(b) > maxTarget || !strings.Contains(a, "… #") {
		t.Errorf("labels %q and %q", a, b)
	}
	if got := targetOf([]string{"/opt/x.sh", "-w", "80"}); got != "/opt/x.sh -w 80" {
		t.Errorf("label %q", got)
	}
	if got := targetOf([]string{"sh", "-c", "a\n  b"}); strings.Contains(got, "\n") {
		t.Errorf("label %q", got)
	}
}

func TestTheShippedSampleExplainsEveryOptionAndShowsSomething(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../conf.d/p.exec/exec.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range []string{"commands", "mode", "timeout", "concurrency", "check", "env", "user", "working_dir", "max_output"} {
		if !strings.Contains(string(data), option+" = ") {
			t.Errorf("the sample does not explain %s", option)
		}
	}
	node, err := config.Parse("exec.toml", string(data))
	if err != nil {
		t.Fatal(err)
	}
	var errs config.Errors
	p := New()
	config.Decode(node.Find("instances[0]").Without("alerting"), &errs, p)
	if err := errors.Join(errs.Err(), p.Init()); err != nil {
		t.Fatal(err)
	}
	e := pipetest.Find(t, pipetest.Gather(t, p), "catpaw is alive", "")
	if e.Status != pipeline.Info {
		t.Errorf("event %+v", e)
	}
}
