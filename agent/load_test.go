package agent

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"catpaw/inputs"
	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors/labels"
)

// confd writes a configuration directory, file by file, and returns a source that reads it.
func confd(t *testing.T, files map[string]string) Source {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "conf.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Source{Dir: dir, Vars: config.Vars{
		Named:  map[string]string{"hostname": "ubuntu-linux-22-04-desktop", "ip": "10.211.55.3"},
		Lookup: func(name string) (string, bool) { return "from the environment", name == "WHERE" },
	}}
}

func load(t *testing.T, s Source) *Configuration {
	t.Helper()
	c, err := s.Load()
	if err != nil {
		t.Fatalf("should be good:\n%v", err)
	}
	return c
}

// wantFaults loads and compares all faults, line by line, with DIR standing for the directory.
func wantFaults(t *testing.T, s Source, want ...string) {
	t.Helper()
	_, err := s.Load()
	if err == nil {
		t.Fatal("no fault was found")
	}
	got := strings.Split(strings.ReplaceAll(err.Error(), s.Dir, "DIR"), "\n")
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("not expected: %s", got[i])
		case !strings.HasPrefix(got[i], want[i]):
			t.Errorf("fault %d\n got: %s\nwant: %s", i, got[i], want[i])
		}
	}
}

const netOne = "[[instances]]\ntargets = [\"127.0.0.1:1\"]\n"

func TestTheOriginalsConfigurationGivesTheOriginalsKey(t *testing.T) {
	t.Parallel()
	c := load(t, confd(t, map[string]string{
		"config.toml": `
[global]
interval = "15s"
[global.labels]
from_agent = "catpaw"
from_hostname = "$hostname"
from_hostip = "$ip"
[log]
level = "info"
output = "stdout"
format = "json"
[flashduty]
url = "http://127.0.0.1:1/event/push?integration_key=hunter2"
timeout = "5s"
`,
		"p.http/http.toml": `
[[partials]]
id = "default"
method = "GET"
timeout = "3s"
[[instances]]
targets = ["http://127.0.0.1:8888/request"]
partial = "default"
interval = 60
[instances.alerting]
enabled = true
for_duration = 0
repeat_interval = "5m"
repeat_number = 3
recovery_notification = true
default_severity = "critical"
`}))
	check := c.Checks[0]
	own := check.Input.(pipeline.Keyed).Keys()[0]
	own.Sort()
	if key := labels.Key(pipeline.Merge(own, check.Labels)); key != "4f1b21a435253bf868a1249d3ba7715f" {
		t.Errorf("key %s of %v over %v", key, check.Labels, own)
	}
	if check.Interval != time.Minute || check.Policy.RepeatNumber != 3 || check.Policy.DefaultSeverity != pipeline.Severity(pipeline.Critical) {
		t.Errorf("check %+v", check)
	}
	if len(c.Outputs) != 1 || c.Outputs[0].Name != "flashduty" {
		t.Errorf("outputs %+v", c.Outputs)
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{
		"config.toml": `
[global]
intervall = "15s"
[log]
level = "loud"
[[outputs.webhok]]
url = "http://127.0.0.1:1"
[outputs.stdout]
[[processors.dedup]]
[flashdty]
`,
		"p.htpp/http.toml": "",
		"p.http/a.toml":    "[[instances]]\ntargets = [\"ftp://x\"]\nheaders = [\"odd\"]\npartial = \"nope\"\n",
		"p.net/a.toml":     "interval = \"1ms\"\n[[instances]]\ntargets = [\"127.0.0.1:99999\"]\n[instances.alerting]\ndefault_severity = \"Ok\"\nrepeat_number = -1\n",
		"p.net/b.toml":     "[[instances]]\ntargets = [\"127.0.0.1:99999\"]\n",
		"p.exec/a.toml":    "[[instances]\n",
		"p.exec/b.toml":    "[instances]\ncommands = []\n[[partials]]\ntimeout = 1\n",
	})
	wantFaults(t, s,
		`DIR/config.toml:3: unknown option "intervall"; did you mean "interval"?`,
		`DIR/config.toml:5: level: "loud" is not one of debug, info, warn, error, fatal`,
		`DIR/config.toml:6: unknown output "webhok"; did you mean "webhook"? Known: flashduty, kafka, nats, stdout, webhook.`,
		`DIR/config.toml:8: write [[outputs.stdout]] with double brackets, one for each`,
		`DIR/config.toml:9: unknown processor "dedup"`,
		`DIR/config.toml:10: unknown section "flashdty"; did you mean "flashduty"?`,
		`DIR/p.exec/a.toml:2: expected end of table array name`,
		`DIR/p.exec/b.toml:1: instances: write [[instances]] with double brackets, one for each`,
		`DIR/p.exec/b.toml:3: a partial needs an id: id = "default"`,
		`DIR/p.htpp: there is no probe "htpp"; did you mean "http"? Known: `+strings.Join(slices.Sorted(maps.Keys(inputs.Table())), ", ")+`.`,
		`DIR/p.http/a.toml:2: targets[0]`,
		`DIR/p.http/a.toml:3: headers: `,
		`DIR/p.http/a.toml:4: partial: there is no [[partials]] with id = "nope"`,
		`DIR/p.net/a.toml:1: interval: 1ms is too short: at least 100ms`,
		`DIR/p.net/a.toml:3: targets[0]`,
		`DIR/p.net/a.toml:5: alerting.default_severity: "Ok" is not a severity: choose Info, Warning or Critical`,
		`DIR/p.net/a.toml:6: alerting.repeat_number: -1 is negative`,
		`DIR/p.net/b.toml:2: targets[0]`,
	)
}

func TestNothingToReadIsOneClearLine(t *testing.T) {
	t.Parallel()
	wantFaults(t, confd(t, nil), `DIR: there is nothing to check`)
	wantFaults(t, confd(t, map[string]string{"config.toml": "[global]\n"}), `DIR: there is nothing to check`)
	gone := confd(t, nil)
	gone.Dir += "/nowhere"
	wantFaults(t, gone, "DIR: cannot read the configuration directory: no such file or directory; name another with -configs DIR, or write one: catpaw init")
	gone.Sought = "/etc/elsewhere"
	wantFaults(t, gone, "DIR: cannot read the configuration directory: no such file or directory; nor is there /etc/elsewhere; name another with -configs DIR, or write one: catpaw init")
}

func TestAFileThatCannotBeReadIsTold(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{"p.net/a.toml": netOne})
	if err := os.Symlink("/nowhere", filepath.Join(s.Dir, "p.net", "b.toml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(s.Dir, "c.toml")); err != nil {
		t.Fatal(err)
	}
	wantFaults(t, s, "DIR/c.toml: cannot read: no such file or directory", "DIR/p.net/b.toml: cannot read: no such file or directory")
}

func TestEveryFileStandsForItself(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{
		"p.net/a.toml":    netOne + "[instances.labels]\nfile = \"a\"\n",
		"p.net/b.toml":    "interval = \"10s\"\nlabels = { level = \"file\", over = \"file\" }\n[[instances]]\ntargets = [\"127.0.0.1:2\"]\npartial = \"far\"\nlabels = { over = \"instance\", top = \"instance\" }\n",
		"p.net/c.toml":    "[[partials]]\nid = \"far\"\nread_timeout = \"7s\"\nlabels = { partial = \"far\" }\n",
		"p.net/notes.txt": "not read [",
		"one.toml":        "[global.labels]\ntop = \"global\"\n",
		"two.toml":        "[global]\ninterval = \"20s\"\n[global.labels]\nwhere = \"${WHERE} of $hostname\"\n",
	})
	c := load(t, s)
	if len(c.Checks) != 2 || c.Checks[0].Interval != 20*time.Second || c.Checks[1].Interval != 10*time.Second {
		t.Fatalf("checks %+v", c.Checks)
	}
	if got := c.Checks[1].Labels.String(); got != "from_plugin=net level=file over=instance partial=far top=global where=from the environment of ubuntu-linux-22-04-desktop" {
		t.Errorf("labels %s", got)
	}
	if got := c.Checks[0].Labels.String(); got != "file=a from_plugin=net top=global where=from the environment of ubuntu-linux-22-04-desktop" {
		t.Errorf("labels %s", got)
	}
}

func TestASettingInTwoFilesIsAFault(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{"a.toml": "[global]\ninterval = 10\n", "b.toml": "[global]\ninterval = 20\n", "p.net/a.toml": netOne})
	wantFaults(t, s, "DIR/b.toml:2: interval is already set at DIR/a.toml:2")
}

func TestASymlinkedProbeDirectoryIsRead(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{"real/a.toml": netOne})
	if err := os.Symlink(filepath.Join(s.Dir, "real"), filepath.Join(s.Dir, "p.net")); err != nil {
		t.Fatal(err)
	}
	if c := load(t, s); len(c.Checks) != 1 {
		t.Errorf("%d checks", len(c.Checks))
	}
}

func TestChecksThatWouldFightAreRefused(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{"p.net/a.toml": netOne + "[[instances]]\ntargets = [\"127.0.0.1:2\", \"127.0.0.1:1\"]\n"})
	wantFaults(t, s, "DIR/p.net/a.toml:3: gives the same alert key as the check at DIR/p.net/a.toml:1 (check=tcp check protocol=tcp target=127.0.0.1:1): give one of them another label")
	load(t, confd(t, map[string]string{"p.net/a.toml": netOne + "[[instances]]\ntargets = [\"127.0.0.1:1\"]\nlabels = { a = \"b\" }\n"}))
	c := load(t, confd(t, map[string]string{"p.net/a.toml": "[[instances]]\ntargets = [\"127.0.0.1:1\", \"127.0.0.1:1\"]\n"}))
	if !strings.Contains(strings.Join(c.Warnings, "\n"), "two targets give the same alert") {
		t.Errorf("warnings %q", c.Warnings)
	}
}

// TestManyInstancesOfOnePartial share what it says, and are told apart while the next ones are read.
func TestManyInstancesOfOnePartial(t *testing.T) {
	t.Parallel()
	const many = 300
	secret := filepath.Join(t.TempDir(), "token")
	rotate := func(token string) {
		t.Helper()
		if err := os.WriteFile(secret, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := "[[partials]]\nid = 'p'\nbearer_token = '@" + secret + "'\n"
	for i := range many {
		text += fmt.Sprintf("[[instances]]\npartial = 'p'\ntargets = ['http://127.0.0.1/%d']\n", i)
	}
	s := confd(t, map[string]string{"p.http/a.toml": text})
	rotate("a")
	before := load(t, s).Checks
	rotate("b")
	after := load(t, s).Checks
	ids := map[string]bool{}
	for i, check := range before {
		ids[check.ID] = true
		if want := fmt.Sprintf("http://127.0.0.1/%d", i); check.LooksAt != want || check.Content == after[i].Content {
			t.Errorf("check %d looks at %s, want %s; with another secret it is the same: %v", i, check.LooksAt, want, check.Content == after[i].Content)
		}
	}
	if len(ids) != many {
		t.Errorf("%d checks are called by %d names", many, len(ids))
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	wantFaults(t, confd(t, map[string]string{"p.http/a.toml": text + "[[instances]]\npartial = 'p'\ntargets = ['http://127.0.0.1/0']\n"}),
		"DIR/p.http/a.toml:3: bearer_token: cannot read the secret",
		"DIR/p.http/a.toml:904: gives the same alert key as the check at DIR/p.http/a.toml:4 ")
}

func TestIdentityStaysWhereOnlyPolicyChanges(t *testing.T) {
	t.Parallel()
	base := load(t, confd(t, map[string]string{"p.net/a.toml": netOne})).Checks[0]
	policy := load(t, confd(t, map[string]string{"p.net/a.toml": "interval = 5\n" + netOne + "[instances.alerting]\nrepeat_number = 1\n"})).Checks[0]
	other := load(t, confd(t, map[string]string{"p.net/a.toml": "[[instances]]\ntargets = [\"127.0.0.1:2\"]\n"})).Checks[0]
	if base.ID != policy.ID || base.Content == policy.Content || base.ID == other.ID {
		t.Errorf("IDs %s %s %s", base.ID, policy.ID, other.ID)
	}
	twice := load(t, confd(t, map[string]string{"p.net/a.toml": netOne + "labels = { a = \"1\" }\n" + netOne + "labels = { a = \"2\" }\n"})).Checks
	if twice[0].ID == twice[1].ID {
		t.Errorf("two checks are called %s", twice[0].ID)
	}
	three := load(t, confd(t, map[string]string{"p.net/a.toml": netOne + "labels = { a = \"0\" }\n" + netOne + "labels = { a = \"1\" }\n" + netOne + "labels = { a = \"2\" }\n"})).Checks
	if three[1].ID != twice[0].ID || three[2].ID != twice[1].ID || three[1].Content != twice[0].Content {
		t.Error("a check that was removed renamed the others")
	}
}

func TestFlagsGoOverTheFiles(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"config.toml":  "[global]\ninterval = 10\n[log]\nlevel = \"info\"\n[flashduty]\nurl = \"http://127.0.0.1:1/a\"\ntimeout = 7\n",
		"p.net/a.toml": netOne, "p.exec/a.toml": "[[instances]]\ncommands = [\"true\"]\n",
	}
	s := confd(t, files)
	s.Interval, s.LogLevel, s.Plugins, s.URL = config.Duration(3*time.Second), "debug", []string{"net"}, "http://127.0.0.1:1/b"
	c := load(t, s)
	if len(c.Checks) != 1 || c.Checks[0].Interval != 3*time.Second || c.Log.Level != "debug" || len(c.Outputs) != 1 || c.Outputs[0].Timeout != 7*time.Second {
		t.Errorf("%+v", c)
	}
	s.Plugins, s.LogLevel, s.URL = []string{"nett"}, "loud", "ftp://x"
	wantFaults(t, s, `-loglevel: level: "loud" is not one of`, `-plugins: unknown probe "nett"; did you mean "net"?`, `-url: url`)
}

func TestWithoutOutputsEventsGoToStandardOutput(t *testing.T) {
	t.Parallel()
	c := load(t, confd(t, map[string]string{"p.net/a.toml": netOne, "config.toml": "[flashduty]\nurl = \"\"\n"}))
	if len(c.Outputs) != 1 || c.Outputs[0].Plugin != "stdout" || len(c.Warnings) != 2 {
		t.Errorf("outputs %+v, warnings %q", c.Outputs, c.Warnings)
	}
}

func TestOutputsNeedNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{"p.net/a.toml": netOne, "config.toml": `
[[outputs.stdout]]
[[outputs.stdout]]
concurrency = 0
[[outputs.webhook]]
url = "http://127.0.0.1:1"
name = "stdout"
timeout = 0
`})
	wantFaults(t, s,
		`DIR/config.toml:3: the output at DIR/config.toml:2 is already called "stdout"`,
		`DIR/config.toml:4: concurrency: 0 is not between 1 and 1000`,
		`DIR/config.toml:7: the output at DIR/config.toml:2 is already called "stdout"`,
		`DIR/config.toml:8: timeout: it must be more than 0`)
}

func TestASecretNeverShowsInFaults(t *testing.T) {
	t.Parallel()
	_, err := confd(t, map[string]string{"p.net/a.toml": netOne, "config.toml": `
[flashduty]
url = "htp://127.0.0.1/?integration_key=hunter2"
[[outputs.webhook]]
url = "http://127.0.0.1:x/hunter2"
bearer_token = ["hunter2"]
`}).Load()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("faults: %v", err)
	}
}

func TestTheShippedConfigurationIsGood(t *testing.T) {
	t.Parallel()
	s := Source{Dir: "../conf.d", Vars: HostVars()}
	c := load(t, s)
	dirs, err := filepath.Glob("../conf.d/p.*")
	if err != nil {
		t.Fatal(err)
	}
	var samples []string // of some, all is commented out
	for _, dir := range dirs {
		samples = append(samples, strings.TrimPrefix(filepath.Base(dir), "p."))
	}
	if !slices.Equal(samples, slices.Sorted(maps.Keys(inputs.Table()))) {
		t.Errorf("conf.d has samples of these probes: %s", samples)
	}
	if len(c.Outputs) != 1 || c.Outputs[0].Plugin != "stdout" || len(c.Warnings) != 0 {
		t.Errorf("outputs %+v, warnings %q", c.Outputs, c.Warnings)
	}
}

func TestProbesComeFromOneTableOverAllLoads(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{"p.net/a.toml": netOne})
	made := 0
	s.inputs = map[string]func() pipeline.Input{"net": func() pipeline.Input { made++; return inputs.Table()["net"]() }}
	load(t, s)
	once := made
	load(t, s)
	if once == 0 || made != 2*once {
		t.Errorf("made %d probes, then %d", once, made-once)
	}
}

func TestWhatIsOddIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{
		"p.exec/a.toml": "[[instances]]\ncommands = ['df -h | wc -l', ['sh', '-c', 'a | b'], 'echo \"a | b\"']\n",
		"http/a.toml":   "",
	})
	c := load(t, s)
	got := strings.ReplaceAll(strings.Join(c.Warnings, "\n"), s.Dir, "DIR")
	for _, want := range []string{
		`DIR/p.exec/a.toml:1: commands[0]: no shell runs this, so "|" is an argument as any other`,
		`DIR/http: this is not read: the directory of a probe begins with p., as in p.http`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no warning %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "commands[1]") || strings.Contains(got, "commands[2]") {
		t.Errorf("warned for nothing:\n%s", got)
	}
	if at := c.Outputs[0].Source; at != "the default" {
		t.Errorf("the default output is configured at %q", at)
	}
}

func TestFaultsAreNotToldTwice(t *testing.T) {
	t.Parallel()
	wantFaults(t, confd(t, map[string]string{
		"config.toml":   "[[outputs.flashduty]]\nintegration_key = '@/nowhere'\n[global]\ninterval = 'x'\n",
		"p.http/a.toml": "[[instances]]\nresponse_status_code = ['200']\nlabels = { '' = 'x', a = \"b\\u0007\" }\n",
	}),
		`DIR/config.toml:2: integration_key: cannot read the secret in /nowhere`,
		`DIR/config.toml:4: interval: "x" is not a duration`,
		`DIR/p.http/a.toml:2: unknown option "response_status_code"; it belongs into the table "expect", as in expect.response_status_code = …`,
		`DIR/p.http/a.toml:3: labels: a name must not be empty`,
	)
}

func TestTheStateAndTheQueuesAreConfigured(t *testing.T) {
	t.Parallel()
	s := confd(t, map[string]string{
		"config.toml":  "[global]\nstate_dir = '/var/lib/x'\n[[outputs.stdout]]\nqueue = { max_events = 100, max_bytes = '1MiB' }\n",
		"p.net/a.toml": netOne,
	})
	c := load(t, s)
	if c.StateDir != "/var/lib/x" || c.Outputs[0].MaxEvents != 100 || c.Outputs[0].MaxBytes != 1<<20 {
		t.Errorf("state in %s, output %+v", c.StateDir, c.Outputs[0])
	}
	s.StateDir = "/tmp/y"
	if c := load(t, s); c.StateDir != "/tmp/y" {
		t.Errorf("the flag does not count: %s", c.StateDir)
	}
	s = confd(t, map[string]string{"p.net/a.toml": netOne})
	if c := load(t, s); c.StateDir != filepath.Join(filepath.Dir(s.Dir), "state.d") || c.Outputs[0].MaxEvents != 100_000 || c.Outputs[0].MaxBytes != 256<<20 {
		t.Errorf("by default: state in %s, output %+v", c.StateDir, c.Outputs[0])
	}
	wantFaults(t, confd(t, map[string]string{
		"config.toml":  "[global]\nstate_dir = 5\n[[outputs.stdout]]\nqueue.max_events = 99\nqueue.max_bytes = '1KiB'\n",
		"p.net/a.toml": netOne,
	}),
		"DIR/config.toml:2: state_dir: expected a string, not the number 5",
		"DIR/config.toml:4: queue.max_events: 99 is not between 100 and 100000000",
		"DIR/config.toml:5: queue.max_bytes: ",
	)
	wantFaults(t, confd(t, map[string]string{
		"config.toml":  "[[outputs.stdout]]\nname = ''\n[[outputs.stdout]]\nname = '..'\n[[outputs.stdout]]\nname = \"a\\u001bb\"\n[[outputs.stdout]]\nname = 'Göteborg ops-1.b'\n",
		"p.net/a.toml": netOne,
	}),
		`DIR/config.toml:2: name: "" cannot be the name of a queue`,
		`DIR/config.toml:4: name: ".." cannot be the name of a queue`,
		`DIR/config.toml:6: name: "a\x1bb" cannot be the name of a queue`,
	)
}

func TestAnInstanceThatNamesNothingIsNoFault(t *testing.T) {
	t.Parallel()
	c := load(t, confd(t, map[string]string{
		"p.exec/a.toml":       "[[instances]]\ncommands = []\n[[instances]]\n",
		"p.sfilter/a.toml":    "[[instances]]\ncommand = ''\n",
		"p.filechange/a.toml": "[[instances]]\nfilepaths = []\n",
		"p.mtime/a.toml":      "[[instances]]\ndirectory = ''\n",
		"p.procnum/a.toml":    "[[instances]]\nalert_if_num_lt = 1\n",
		"p.net/a.toml":        netOne,
		"p.net/b.toml":        "[[instances]]\ntargets = []\n[[instances]]\n",
		"p.ping/a.toml":       "[[instances]]\n",
		"p.http/a.toml":       "[[instances]]\ntargets = []\n",
	}))
	told := strings.Join(c.Warnings, "\n")
	for _, want := range []string{"p.exec/a.toml:1: commands is empty: this", "p.exec/a.toml:3: commands is empty: this", "command is empty: this", "filepaths is empty: this", "directory is empty: this", "no search option is set: this instance watches nothing"} {
		if !strings.Contains(told, want) {
			t.Errorf("no warning says %q: %s", want, told)
		}
	}
	if len(c.Checks) != 1 || len(c.Idle) != 10 {
		t.Errorf("%d checks run, idle are %+v", len(c.Checks), c.Idle)
	}
	for _, one := range c.Idle {
		if !strings.HasPrefix(one.LooksAt, "nothing: ") || !strings.Contains(one.Source, ".toml:1") && !strings.Contains(one.Source, ".toml:3") {
			t.Errorf("%+v", one)
		}
	}
}
