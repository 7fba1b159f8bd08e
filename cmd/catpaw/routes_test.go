package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scripted makes a configuration with a check that prints what a file says, and says how to change it.
func scripted(t *testing.T, outputs string) (dir string, say func(status string)) {
	t.Helper()
	says := filepath.Join(t.TempDir(), "says")
	say = func(status string) {
		t.Helper()
		write(t, filepath.Dir(says), map[string]string{"says": fmt.Sprintf(`[{"event_status":%q,"labels":{"check":"c","team":"db"}}]`, status)})
	}
	dir = confd(t, map[string]string{
		"config.toml":   outputs,
		"p.exec/a.toml": fmt.Sprintf("[[instances]]\ninterval = 0.1\nalerting.repeat_interval = '1h'\nalerting.flap_window = 0\ncommands = [['cat', %q]]\n", says),
	})
	return dir, say
}

func TestOutputsHearWhatTheyAskedFor(t *testing.T) {
	t.Parallel()
	pagerURL, pager := sink(t)
	chatURL, chat := sink(t)
	webURL, web := sink(t)
	dir, say := scripted(t, fmt.Sprintf(`
[[outputs.webhook]]
name = "pager"
url = %q
min_severity = "Critical"
[[outputs.webhook]]
name = "chat"
format = "slack"
url = %q
match = { team = ["db", "storage"] }
recovery = false
[[outputs.webhook]]
name = "web team"
url = %q
match.team = "web"
[[outputs.stdout]]
`, pagerURL, chatURL, webURL))
	say("Warning")
	a := start(t, "-configs", dir)
	expect := func(status string) {
		t.Helper()
		if e := a.event(); e.Status != status {
			t.Fatalf("%s, want %s", e.Status, status)
		}
	}
	expect("Warning")
	say("Critical")
	expect("Critical")
	say("Ok")
	expect("Ok")
	for _, want := range []string{`"event_status":"Critical"`, `"event_status":"Ok"`} {
		if body := next(t, pager); !strings.Contains(body, want) {
			t.Errorf("the pager heard %s, not %s", body, want)
		}
	}
	for _, want := range []string{"Warning", "Critical"} {
		if body := next(t, chat); !strings.Contains(body, `{"text":"*`) || !strings.Contains(body, want+": c, team=db") {
			t.Errorf("the chat heard %s, not of a %s", body, want)
		}
	}
	a.signal(os.Interrupt) // delivers what is queued
	a.wait()
	if len(pager)+len(chat)+len(web) > 0 {
		t.Errorf("more than was asked for: %d, %d, %d", len(pager), len(chat), len(web))
	}
}

func TestAlertmanagerHearsOfOpenAlertsAfterARestart(t *testing.T) {
	t.Parallel()
	url, bodies := sink(t)
	dir, say := scripted(t, fmt.Sprintf("[[outputs.webhook]]\nformat = 'alertmanager'\nresend = '1s'\nurl = %q\n", url))
	say("Warning")
	a := start(t, "-configs", dir)
	next(t, bodies)
	a.signal(os.Kill)
	a.wait()
	for len(bodies) > 0 {
		<-bodies
	}
	a = start(t, "-configs", dir)
	a.waitLog(`"open_alerts": 1`)
	for range 2 {
		if body := next(t, bodies); !strings.Contains(body, `"team":"db"`) {
			t.Errorf("Alertmanager heard %s", body)
		}
	}
}

// TestAnOutputThatComesBackHearsTheEnd: what it was told of is over meanwhile.
func TestAnOutputThatComesBackHearsTheEnd(t *testing.T) {
	t.Parallel()
	url, told := sink(t)
	both := stdoutOnly + fmt.Sprintf("[[outputs.webhook]]\nname = 'pager'\nurl = %q\n", url)
	dir, say := scripted(t, both)
	say("Warning")
	a := start(t, "-configs", dir)
	a.event()
	wantAll(t, next(t, told), `"event_status":"Warning"`)
	write(t, dir, map[string]string{"config.toml": stdoutOnly})
	asks(t, "reload", "-configs", dir)
	say("Ok")
	a.event()
	wantAll(t, asks(t, "queue", "-configs", dir), "pager (no such output)  1 ")
	wantAll(t, asks(t, "queue", "list", "-configs", dir), "pager (no such output)  1 ") // as silences are listed
	write(t, dir, map[string]string{"config.toml": both})
	asks(t, "reload", "-configs", dir)
	wantAll(t, next(t, told), `"event_status":"Ok"`)
}

// TestWhyTellsOfWhatNobodyHeard: because no output wants it, or because a sink refused it.
func TestWhyTellsOfWhatNobodyHeard(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer server.Close()
	dir, say := scripted(t, fmt.Sprintf("[[outputs.webhook]]\nname = 'chat'\nurl = %q\nmin_severity = 'Critical'\n", server.URL))
	say("Warning")
	a := start(t, "-configs", dir)
	a.waitLog("catpaw runs")
	until(t, func() bool { return strings.Contains(asks(t, "status", "-configs", dir), "no output wants it") })
	wantAll(t, asks(t, "why", "-configs", dir, "db"),
		"not told: no output wants it (webhook chat: below min_severity Critical)", "now: no output wants it")
	say("Critical")
	a.waitLog("dead letter")
	wantAll(t, asks(t, "why", "-configs", dir, "db"), "output chat refused the last one: "+server.URL+" answered 400")
	until(t, func() bool { return strings.Contains(asks(t, "queue", "-configs", dir), "--dead") }) // it is on disk
	wantAll(t, asks(t, "queue", "-configs", dir), "chat has delivered nothing for ", " and refused the last event for good, ", "catpaw queue cat 'chat' --dead")
	asks(t, "queue", "purge", "-configs", dir, "chat", "--dead")
	if text := asks(t, "queue", "-configs", dir); strings.Contains(text, "400") || strings.Contains(text, "--dead") {
		t.Errorf("nothing waits and no dead letter is left, and yet:\n%s", text)
	}
}
