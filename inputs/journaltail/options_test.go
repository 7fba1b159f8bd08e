package journaltail

import (
	"slices"
	"testing"
	"time"

	"catpaw/internal/command"
	"catpaw/pipeline/pipetest"
)

const good = "check = 'c'\nfilter_include = ['*x*']\n"

func TestEveryWrongOptionIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		toml string
		want []string
	}{
		"no check":                     {`filter_include = ["x"]`, []string{"check: give the alert a name"}},
		"no filter":                    {"check = 'c'", []string{"filter_include: say which lines"}},
		"a wrong pattern":              {"check = 'c'\nfilter_include = ['a', '[']", []string{"test.toml:2", "filter_include[1]"}},
		"a wrong exclude pattern":      {"check = 'c'\nfilter_exclude = ['/(/']", []string{"filter_exclude[0]"}},
		"no time_span":                 {good + "time_span = 0", []string{"test.toml:3: time_span: must be more than 0"}},
		"a time_span that is none":     {good + "time_span = 'soon'", []string{"test.toml:3", "is not a duration"}},
		"no timeout":                   {good + "timeout = 0", []string{"test.toml:3: timeout: must be more than 0"}},
		"no max_lines":                 {good + "max_lines = 0", []string{"max_lines"}},
		"too many max_lines":           {good + "max_lines = 1000", []string{"max_lines"}},
		"an empty unit":                {good + "units = ['a', '']", []string{`test.toml:3: units[1]: "" cannot be a name`}},
		"an empty identifier":          {good + "identifiers = ['']", []string{"identifiers[0]"}},
		"an unknown priority":          {good + "priority = 'error'", []string{`priority: "error" is not a priority: choose one of emerg, alert`}},
		"a priority beyond 7":          {good + "priority = '8'", []string{`"8" is not a priority`}},
		"half a range":                 {good + "priority = 'err..'", []string{`"" is not a priority`}},
		"a priority with a slip":       {good + "priority = 'warnin'", []string{`did you mean "warning"?`}},
		"a priority that is a number":  {good + "priority = 3", []string{"priority: expected"}},
		"a directory that is relative": {good + "directory = 'journal'", []string{`directory: "journal" must be an absolute path`}},
		"all of it at once":            {"time_span = 0\npriority = 'x'", []string{"check:", "filter_include:", "time_span:", "priority:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New()
			p.goos = "linux"
			pipetest.WantError(t, pipetest.TryOptions(c.toml, p), c.want...)
		})
	}
}

func TestElsewhereThanOnLinuxCheckSaysSo(t *testing.T) {
	t.Parallel()
	p := New()
	p.goos = "windows"
	pipetest.WantError(t, pipetest.TryOptions(good, p), "exists on Linux only")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	p := New()
	p.goos = "linux"
	pipetest.Options(t, good, p)
	if p.TimeSpan.Std() != time.Minute || p.MaxLines != 20 || p.Timeout.Std() != 10*time.Second || p.MaxGather() != 10*time.Second+2*command.Overtime {
		t.Errorf("%+v", p)
	}
	if keys := p.Keys(); len(keys) != 1 || keys[0].String() != "check=c" {
		t.Errorf("keys: %v", keys)
	}
	if filters := p.filters(); len(filters) != 0 {
		t.Errorf("journalctl is given %q", filters)
	}
	if w := p.Warnings(); len(w) != 0 {
		t.Errorf("warnings: %q", w)
	}
}

func TestEveryPriorityIsTaken(t *testing.T) {
	t.Parallel()
	for _, priority := range []string{"emerg", "err", "debug", "0", "7", "warning..emerg", "0..3", "err..7"} {
		if err := judgePriority(priority); err != nil {
			t.Errorf("%s: %v", priority, err)
		}
	}
}

func TestTheAgentsOwnIdentifierIsWarnedOf(t *testing.T) {
	t.Parallel()
	p := New()
	p.goos = "linux"
	pipetest.Options(t, good+"identifiers = ['sshd', 'catpaw']", p)
	if w := p.Warnings(); len(w) != 1 || !slices.Contains(w, `identifiers[1]: the agent's own lines are never read, so "catpaw" gives nothing`) {
		t.Errorf("warnings: %q", w)
	}
}
