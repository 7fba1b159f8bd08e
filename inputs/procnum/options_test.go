package procnum

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"catpaw/pipeline/pipetest"
)

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	const good = "check = 'c'\nsearch_exec_substring = 'x'\nalert_if_num_lt = 1\n"
	for name, c := range map[string]struct{ options, fault string }{
		"no check":                      {"search_exec_substring = 'x'\nalert_if_num_lt = 1", "check: give the alert a name"},
		"a blank check":                 {"check = ' '\nsearch_exec_substring = 'x'\nalert_if_num_lt = 1", "test.toml:1: check: give the alert a name"},
		"a check on two lines":          {"check = \"a\\nb\"\nsearch_exec_substring = 'x'\nalert_if_num_lt = 1", "check: must not hold control characters"},
		"a blank search":                {"check = 'c'\nsearch_cmdline_substring = ' '\nalert_if_num_lt = 1", "test.toml:2: search_cmdline_substring: is blank"},
		"a search on two lines":         {"check = 'c'\nsearch_exec_substring = \"a\\u0000b\"\nalert_if_num_lt = 1", "search_exec_substring: must not hold control characters"},
		"no bound":                      {"check = 'c'\nsearch_exec_substring = 'x'", "alert_if_num_lt: say how many processes are too few"},
		"the bound of no effect":        {"check = 'c'\nsearch_exec_substring = 'x'\nalert_if_num_lt = 0", "test.toml:3: alert_if_num_lt: say how many"},
		"a negative lower bound":        {"check = 'c'\nsearch_exec_substring = 'x'\nalert_if_num_lt = -1", "alert_if_num_lt: -1 is negative"},
		"a negative upper bound":        {good + "alert_if_num_gt = -2", "test.toml:4: alert_if_num_gt: -2 is negative"},
		"bounds that exclude all":       {"check = 'c'\nsearch_exec_substring = 'x'\nalert_if_num_lt = 3\nalert_if_num_gt = 2", "alert_if_num_gt: no number is well: fewer than 3 are too few, and more than 2 too many"},
		"a Windows service elsewhere":   {"check = 'c'\nsearch_win_service = 'x'\nalert_if_num_lt = 1", "test.toml:2: search_win_service: only Windows has services of this kind, and this is plan9"},
		"a pid file of a relative path": {good + "search_pid_file = 'run/x.pid'", `search_pid_file: "run/x.pid" is not absolute`},
		"two processes of a pid file":   {"check = 'c'\nalert_if_num_lt = 2\nsearch_pid_file = '" + absolute() + "'", "alert_if_num_lt: search_pid_file finds one process at most"},
		"a wrong type":                  {good + "alert_if_num_gt = 'many'", "alert_if_num_gt"},
		"a misspelt option":             {good + "search_users = 'x'", `unknown option "search_users"; did you mean "search_user"?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(NewTable())
			p.goos = "plan9"
			pipetest.WantError(t, pipetest.TryOptions(c.options, p), c.fault)
		})
	}
}

func absolute() string {
	path, err := filepath.Abs("x.pid")
	if err != nil {
		panic(err)
	}
	return path
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	err := pipetest.TryOptions("search_pid_file = 'x'\nsearch_user = ' '", New(NewTable()))
	pipetest.WantError(t, err, "check: ", "search_pid_file: ", "search_user: ", "alert_if_num_lt: ")
}

func TestWrongOptionsOfAService(t *testing.T) {
	t.Parallel()
	for options, fault := range map[string]string{
		"search_user = 'x'":                      "search_user: does not go together with search_win_service",
		"search_pid_file = '" + absolute() + "'": "search_pid_file: does not go together with search_win_service",
		"alert_if_num_lt = 2":                    "alert_if_num_lt: a service is one process at most",
	} {
		p := New(NewTable())
		p.goos = "windows"
		if !strings.Contains(options, "alert") {
			options += "\nalert_if_num_lt = 1"
		}
		pipetest.WantError(t, pipetest.TryOptions("check = 'c'\nsearch_win_service = 'x'\n"+options, p), fault)
	}
}

// The original takes the first of exec, command line and service, and so does a configuration made for it.
func TestTheFirstSearchCounts(t *testing.T) {
	t.Parallel()
	p := New(NewTable())
	pipetest.Options(t, `check = "c"
search_win_service = "svc"
search_cmdline_substring = "args"
search_exec_substring = "exe"
alert_if_num_lt = 1`, p)
	warnings := fmt.Sprint(p.Warnings())
	for _, want := range []string{
		"search_cmdline_substring has no effect: search_exec_substring comes first",
		"search_win_service has no effect: search_exec_substring comes first",
	} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings %s lack %q", warnings, want)
		}
	}
	if !strings.Contains(p.head, "`exe` in the name") || strings.Contains(p.head, "args") {
		t.Errorf("searched is %s", p.head)
	}
	if len(New(NewTable()).Warnings()) != 0 {
		t.Error("warnings without a reason")
	}
}

func TestKeyAndDeadline(t *testing.T) {
	t.Parallel()
	p := New(NewTable())
	pipetest.Options(t, "check = 'nginx runs'\nsearch_exec_substring = 'nginx'\nalert_if_num_lt = 1", p)
	if got := fmt.Sprint(p.Keys()); got != "[check=nginx runs]" {
		t.Errorf("keys %s", got)
	}
	if p.MaxGather() < 10*time.Second {
		t.Errorf("deadline %s", p.MaxGather())
	}
}
