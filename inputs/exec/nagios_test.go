//go:build unix

package exec

import (
	"fmt"
	"strings"
	"testing"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestNagiosVerdicts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		status pipeline.Status // of the plugin's check
		says   string
		fault  string // "" = the command worked
	}{
		"0 is Ok":                       {"echo 'OK - fine | t=1s'", pipeline.Ok, "OK - fine", ""},
		"1 is Warning":                  {"echo 'DISK 81%'; exit 1", pipeline.Warning, "**text**: DISK 81%\n- **status**: WARNING", ""},
		"2 is Critical":                 {"echo 'DISK 99%'; echo long; exit 2", pipeline.Critical, "**more**:\n\n```\nlong", ""},
		"3 has the default severity":    {"echo huh; exit 3", pipeline.Warning, "**status**: UNKNOWN", ""},
		"nothing printed is no fault":   {"exit 2", pipeline.Critical, "(the plugin printed nothing)", ""},
		"stderr is shown":               {"echo x; echo oops >&2; exit 1", pipeline.Warning, "**stderr**: oops", ""},
		"127 is no verdict":             {"exit 127", pipeline.Unknown, "gave no verdict", "exit status 127, which is no verdict"},
		"a signal is no verdict":        {"kill -9 $$", pipeline.Unknown, "gave no verdict", "signal killed"},
		"a timeout is no verdict":       {"echo x; sleep 1000", pipeline.Unknown, "gave no verdict", "did not finish within the timeout of 1s"},
		"endless output is no verdict":  {"yes", pipeline.Unknown, "gave no verdict", "more than max_output"},
		"more than is looked at passes": {"echo head; head -c 100000 /dev/zero; exit 1", pipeline.Warning, "head", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := script(t, t.TempDir(), "check_it", c.body)
			events, end, _ := pipetest.GatherEnd(t, probe(t, "commands = ['%s']\nmode = 'nagios'\ntimeout = 1\nmax_output = 200000", path))
			e := pipetest.Find(t, events, "check_it", "")
			if e.Status != c.status || len(e.Labels) != 1 || e.Source != path {
				t.Errorf("event %+v", e)
			}
			wantText(t, e.Description, c.says)
			result := outcomeOf(t, events)
			if (c.fault == "") != (result.Status == pipeline.Ok) || (c.fault != "") != end.Incomplete[path] {
				t.Errorf("command: %v, %s, end %+v", result.Status, result.Description, end)
			}
			wantText(t, result.Description, c.fault)
			if len(events) != 2 {
				t.Errorf("%d events", len(events))
			}
		})
	}
}

func TestTheCheckOptionNamesThePlugin(t *testing.T) {
	t.Parallel()
	pipetest.Find(t, pipetest.Gather(t, inline(t, "echo x", "mode = 'nagios'\ncheck = 'disk of $x'")), "disk of $x", "")
}

func TestPluginsOfOneNameInTwoGlobsAreTold(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), t.TempDir()
	script(t, a, "check_x", "echo x")
	path := script(t, b, "check_x", "echo x")
	events, end, _ := pipetest.GatherEnd(t, probe(t, "commands = ['%s/*', '%s/*']\nmode = 'nagios'", a, b))
	pipetest.Find(t, events, "check_x", "")
	e := pipetest.Find(t, events, failed, path)
	wantText(t, e.Description, `same alert (check "check_x") as `+a+"/check_x", "[[instances]]")
	if e.Status != pipeline.Warning || !end.Incomplete[path] {
		t.Errorf("event %+v", e)
	}
}

func TestNagiosOutput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ output, text, long, attrs string }{
		"text only":                            {"OK\n", "OK", "", "[]"},
		"perfdata":                             {"OK | time=0.05s;1;2;0;10 size=1024B load1=0.5 used=80%;90;95", "OK", "", "[{time_seconds 0.05} {size_bytes 1024} {load1 0.5} {used_percent 80}]"},
		"long text and perfdata of many lines": {"OK | a=1\nlong 1\nlong 2 | b=2\nc=3ms\n", "OK", "long 1\nlong 2", "[{a 1} {b 2} {c_ms 3}]"},
		"quoted labels":                        {"OK | '/var log'=1KB 'it''s'=2 '/'=3", "OK", "", "[{/var log_KB 1} {it's 2} {/ 3}]"},
		"nothing measured":                     {"OK | a=U;1;2 b=;1 c b=2", "OK", "", "[{b 2}]"},
		"signs and exponents":                  {"OK | a=-1.5c b=+2 c=1e3 d=1e999 e=NaN f=1E-2s g=1-2 h=5el", "OK", "", "[{a_c -1.5} {b 2} {c 1000} {f_seconds 0.01} {h_el 5}]"},
		"the last of equal names":              {"OK | a=1 a=2", "OK", "", "[{a 2}]"},
		"broken quotes":                        {"OK | 'a=1 'b' c=2 'd", "OK", "", "[{c 2}]"},
		"ranges as thresholds":                 {"OK | a=5;@10:20;~:30", "OK", "", "[{a 5}]"},
		"carriage returns":                     {"OK | a=1\r\nlong\r\n", "OK", "long", "[{a 1}]"},
		"nothing":                              {"", "", "", "[]"},
		"not UTF-8":                            {"\xffOK | \xff=1", "\uFFFDOK", "", "[{\uFFFD 1}]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parseNagios(c.output)
			if got.text != c.text || got.long != c.long || fmt.Sprint(got.attrs) != c.attrs {
				t.Errorf("text %q, long %q, attrs %v", got.text, got.long, got.attrs)
			}
		})
	}
	if n := len(parsePerfdata(strings.Repeat("a=1 ", 500))); n != 1 {
		t.Errorf("%d attrs", n)
	}
}

func FuzzNagios(f *testing.F) {
	f.Add("OK | 'a b'=1s;;; c=U\nlong | d=2%")
	f.Fuzz(func(t *testing.T, output string) {
		if n := len(parseNagios(output).attrs); n > nagiosAttrs {
			t.Errorf("%d attrs", n)
		}
	})
}
