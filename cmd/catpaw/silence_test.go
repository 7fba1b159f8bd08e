package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"catpaw/agent/api"
)

// TestASilenceOutlivesTheAgent: what fires when it ends is told then, and what was told before always ends.
func TestASilenceOutlivesTheAgent(t *testing.T) {
	t.Parallel()
	dir, say := scripted(t, stdoutOnly)
	say("Ok")
	a := start(t, "-configs", dir)
	a.waitLog("catpaw runs")
	wantAll(t, asks(t, "silence", "add", "-configs", dir, "--match", "team=d*", "--for", "1h", "--reason", "moving"), "silence 1: team = d*, until ")
	id, _, _ := strings.Cut(asks(t, "why", "-configs", dir, "p.exec/a.toml:1")[len("No alert of p.exec/a.toml:1 is open, and none was lately.\n\ncheck "):], " ")
	hint := id + " is the ID of a check, and no label"
	wantAll(t, asks(t, "silence", "add", "-configs", dir, "--match", "check="+id, "--for", "1h"), "no alert that is open now matches; "+hint)
	if told := asks(t, "silence", "add", "-configs", dir, "--match", "check=other", "--for", "1h"); strings.Contains(told, "ID of a check") {
		t.Error(told)
	}
	a.cmd.Process.Kill()
	a.wait()
	say("Critical")
	a = start(t, "-configs", dir)
	a.waitLog("catpaw runs")
	wantAll(t, asks(t, "silence", "list", "-configs", dir), "team = d*", "moving")
	until(t, func() bool {
		return strings.Contains(asks(t, "why", "-configs", dir, "db"), "now: silenced by 1 until ")
	})
	wantAll(t, asks(t, "silence", "end", "-configs", dir, "1"), "silence 1 is over")
	if e := a.event(); e.Status != "Critical" || e.Count != 1 {
		t.Errorf("%+v", e)
	}
	asks(t, "silence", "add", "-configs", dir, "--match", "team=db", "--for", "30m")
	say("Ok")
	if e := a.event(); e.Status != "Ok" {
		t.Errorf("%+v", e)
	}
}

func TestASilenceWhileACommandRuns(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	seen := filepath.Join(t.TempDir(), "seen")
	out, errs, code := catpaw(t, "silence", "add", "-configs", dir, "--match", "check=*", "--while", "--",
		"sh", "-c", beCatpaw+`=1 "$0" silence list --json -configs "$1" > "$2"; echo says; exit 7`, os.Args[0], dir, seen)
	if out != "says\n" || code != 7 {
		t.Errorf("%q %q %d", out, errs, code)
	}
	var all []api.Silence
	if data, err := os.ReadFile(seen); err != nil || json.Unmarshal(data, &all) != nil || len(all) != 1 || all[0].Process.Command != "sh" {
		t.Errorf("while it runs: %s %v", data, err)
	}
	wantAll(t, asks(t, "silence", "list", "-configs", dir), "nothing is silenced")
}

// TestASilenceWhileACommandRunsIsToldAsJSON: before what the command prints, and standard error is the command's.
func TestASilenceWhileACommandRunsIsToldAsJSON(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	out, errs, code := catpaw(t, "silence", "add", "-configs", dir, "--match", "team=db", "--json", "--while", "--", "sh", "-c", "echo says; echo groans >&2")
	first, rest, _ := strings.Cut(out, "\n")
	var added api.Added
	if err := json.Unmarshal([]byte(first), &added); err != nil || added.ID != 1 || len(added.Alerts) != 1 {
		t.Errorf("%s: %v", first, err)
	}
	if rest != "says\n" || errs != "groans\n" || code != 0 {
		t.Errorf("%q %q %d", rest, errs, code)
	}
}

// TestACommandMattersMoreThanItsSilence: it runs also where no agent does.
func TestACommandMattersMoreThanItsSilence(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{"config.toml": stdoutOnly})
	out, errs, code := catpaw(t, "silence", "add", "-configs", dir, "--match", "check=*", "--while", "--", "echo", "done")
	if out != "done\n" || code != 0 || !strings.Contains(errs, "nothing is silenced: no catpaw runs") {
		t.Errorf("%q %q %d", out, errs, code)
	}
}

func TestSlipsWithSilences(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	for want, args := range map[string]string{
		"is not LABEL=GLOB":                                 "add --match x --for 1h",
		"say which alerts":                                  "add --for 1h",
		"say for how long":                                  "add --match a=b",
		"--for and --while":                                 "add --match a=b --for 1h --while -- true",
		"write the command behind --":                       "add --match a=b --while",
		"needs --while":                                     "add --match a=b --for 1h true",
		`"soon" is not a duration`:                          "add --match a=b --for soon",
		"match.a":                                           "add --match a=[ --for 1h",
		"at most a year":                                    "add --match a=b --for 999d",
		`"x" is no number`:                                  "end x",
		"there is no silence 9":                             "end 9",
		"no such file":                                      "add --match a=b --while -- /none/such",
		"silence end needs the number of a silence":         "end",
		`"-1h" is not a duration`:                           "add --match a=b --for -1h",
		`unknown flag --fro; did you mean "for"?`:           "add --match a=b --fro 1h",
		`unknown command "silence ad"; did you mean "add"?`: "ad --match a=b",
		`unknown command "silence rm"`:                      "rm 1",
	} {
		args := append([]string{"-configs", dir, "silence"}, strings.Fields(args)...)
		if _, errs, code := catpaw(t, args...); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %s, want %s", args, code, errs, want)
		}
	}
	wantAll(t, asks(t, "silence", "list", "-configs", dir), "nothing is silenced")
}

func TestAnAckIsShown(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	var s api.Status
	if err := json.Unmarshal([]byte(asks(t, "status", "-configs", dir, "--json")), &s); err != nil {
		t.Fatal(err)
	}
	wantAll(t, asks(t, "ack", "-configs", dir, "--reason", "on it", s.Alerts[0].Key[:8]), "acknowledged", "on it; no repeats")
	wantAll(t, asks(t, "status", "-configs", dir), "on it; no repeats")
	if _, errs, code := catpaw(t, "ack", "-configs", dir, "ffffff"); code != 1 || !strings.Contains(errs, "no open alert") {
		t.Errorf("%d %s", code, errs)
	}
}

// TestWhatIsNotOnDiskIsSaid: it is in force all the same, so that nobody asks a second time.
func TestWhatIsNotOnDiskIsSaid(t *testing.T) {
	t.Parallel()
	dir, say := scripted(t, stdoutOnly)
	say("Warning")
	startCommand(t, exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 1; exec "$0" -configs "$1"`, os.Args[0], dir)).event()
	const said = "; this is in force, but not on disk yet, so that a crash now would forget it: "
	wantAll(t, asks(t, "ack", "-configs", dir, "db"), "acknowledged", said)
	wantAll(t, asks(t, "ack", "-configs", dir, "db", "--undo", "--json"), `"not_on_disk":"`)
	wantAll(t, asks(t, "silence", "add", "-configs", dir, "--match", "team=db", "--for", "1h", "--json"), `"id":1`, `"not_on_disk":"`)
	wantAll(t, asks(t, "silence", "add", "-configs", dir, "--match", "team=db", "--for", "1h"), "silence 2", said)
	wantAll(t, asks(t, "silence", "end", "-configs", dir, "2"), "silence 2 is over", said)
	if text := asks(t, "silence", "list", "-configs", dir); strings.Count(text, "team = db") != 1 {
		t.Errorf("in force are\n%s", text)
	}
}

// TestConsequencesAreNotTold: while the host is down, its services are not told.
func TestConsequencesAreNotTold(t *testing.T) {
	t.Parallel()
	dir, says := confd(t, nil), filepath.Join(t.TempDir(), "says")
	events := func(texts ...string) {
		write(t, filepath.Dir(says), map[string]string{"says": "[" + strings.Join(texts, ",") + "]"})
	}
	const host = `{"event_status":"Critical","labels":{"check":"ping","host":"a"}}`
	const service = `{"event_status":"Warning","labels":{"check":"http","host":"a"}}`
	write(t, dir, map[string]string{
		"config.toml": stdoutOnly + `
[[processors.inhibit]]
source = { check = "ping" }
target = { check = "http" }
equal = ["host"]
`,
		"p.exec/a.toml": "[[instances]]\ninterval = 0.1\nalerting.repeat_interval = '1h'\nalerting.flap_window = 0\ncommands = [['cat', '" + says + "']]\n",
	})
	events(host)
	a := start(t, "-configs", dir)
	a.event()
	events(host, service)
	until(t, func() bool {
		out, _, _ := catpaw(t, "why", "-configs", dir, "http")
		return strings.Contains(out, "inhibited while ping host=a fires")
	})
	events(service)
	if e := a.event(); e.Status != "Ok" || e.Labels["check"] != "ping" {
		t.Errorf("%+v", e)
	}
	if e := a.event(); e.Status != "Warning" || e.Labels["check"] != "http" {
		t.Errorf("%+v", e)
	}
}
