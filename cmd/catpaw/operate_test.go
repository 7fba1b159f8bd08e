package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"catpaw/agent/api"
)

// operated is a running agent with one check, and its directory.
func operated(t *testing.T) (a *program, dir string, say func(status string)) {
	t.Helper()
	dir, say = scripted(t, stdoutOnly)
	say("Warning")
	a = start(t, "-configs", dir)
	if e := a.event(); e.Status != "Warning" {
		t.Fatalf("%+v", e)
	}
	return a, dir, say
}

// asks runs a command that must go well.
func asks(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := catpaw(t, args...)
	if code != 0 {
		t.Fatalf("catpaw %s: %d %s", strings.Join(args, " "), code, errs)
	}
	return out
}

func wantAll(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func TestStatusAndWhy(t *testing.T) {
	t.Parallel()
	a, dir, say := operated(t)
	wantAll(t, asks(t, "status", "-configs", dir), "all of it on disk", "told again if still bad at", "p.exec/a.toml:1", "stdout")
	var s api.Status
	if err := json.Unmarshal([]byte(asks(t, "status", "-configs", dir, "--json")), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Alerts) != 1 || s.Alerts[0].Phase != "firing" || s.Alerts[0].Told != 1 || len(s.Checks) != 2 || s.Checks[0].Bad != 1 || s.Config.Hash == "" {
		t.Errorf("%+v", s)
	}
	for _, asked := range []string{s.Alerts[0].Key, s.Alerts[0].Key[:8], "db", s.Checks[0].ID, s.Checks[0].Source} {
		wantAll(t, asks(t, "why", "-configs", dir, asked), "told: it fires", "check "+s.Checks[0].ID, "runs again in")
	}
	wantAll(t, asks(t, "why", "-configs", dir, "stdout"), "stdout is an output: it raises no alerts")
	file := filepath.Join(dir, "p.exec", "a.toml")
	for _, asked := range []string{"a.toml", "a.toml:1", "p.exec/a.toml", file, "conf.d/" + file, "p.EXEC/*.toml", "exec/"} { // which is in no alert
		if text := asks(t, "why", "-configs", dir, asked); !strings.Contains(text, "told: it fires") || !strings.Contains(text, "check "+s.Checks[0].ID) {
			t.Errorf("of %s it says\n%s", asked, text)
		}
	}
	few := s.Alerts[0].Key[:5] // in no name of the check but once in 260,000 times
	if _, errs, code := catpaw(t, "why", "-configs", dir, few); code != 1 || !strings.Contains(errs, fmt.Sprintf("an alert key begins with %q, but that is too little of it: give its first 6 letters", few)) {
		t.Errorf("%d %s", code, errs)
	}
	say("Ok")
	a.event()
	wantAll(t, asks(t, "why", "-configs", dir, "db"), "told: it is over")
	if _, errs, code := catpaw(t, "why", "-configs", dir, "nobody"); code != 1 || !strings.Contains(errs, `nothing is known of "nobody"`) {
		t.Errorf("%d %s", code, errs)
	}
	a.signal(os.Interrupt)
	a.wait()
	if _, errs, code := catpaw(t, "status", "-configs", dir); code != 1 || !strings.Contains(errs, "no catpaw runs on the state directory") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestReloadTellsWhatChanged(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	second := "[[instances]]\ninterval = 60\ncommands = [['true']]\n"
	wantAll(t, asks(t, "reload", "-configs", dir), "0 added, 0 removed, 0 changed, 2 untouched")
	write(t, dir, map[string]string{"p.exec/b.toml": second})
	wantAll(t, asks(t, "reload", "-configs", dir), "added    check exec/", "p.exec/b.toml:1)", "1 added, 0 removed")
	write(t, dir, map[string]string{"p.exec/b.toml": strings.ReplaceAll(second, "60", "61")})
	wantAll(t, asks(t, "reload", "-configs", dir), "changed  check exec/", "0 added, 0 removed, 1 changed, 2 untouched")
	write(t, dir, map[string]string{"p.exec/b.toml": second + "comands = 1\nintervall = 2\n"})
	_, errs, code := catpaw(t, "reload", "-configs", dir)
	if code != 1 {
		t.Error("a faulty configuration is taken")
	}
	wantAll(t, errs, `unknown option "comands"`, `unknown option "intervall"`)
	wantAll(t, asks(t, "status", "-configs", dir), "the last reload was refused", "intervall")
	if err := os.Remove(filepath.Join(dir, "p.exec/b.toml")); err != nil {
		t.Fatal(err)
	}
	wantAll(t, asks(t, "reload", "-configs", dir), "removed  check exec/")
	if text := asks(t, "status", "-configs", dir); strings.Contains(text, "refused") {
		t.Errorf("a reload that went well leaves\n%s", text)
	}
}

// TestAReloadWarns of what is not as the files may be read: it went well, but not all of it is in force.
func TestAReloadWarns(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	write(t, dir, map[string]string{"config.toml": fmt.Sprintf("%s[status]\nlisten = %q\n[log]\nformat = 'json'\n[global]\nstate_dir = '/elsewhere'\n", stdoutOnly, taken.Addr())})
	wantAll(t, asks(t, "reload", "-configs", dir, "--state-dir", filepath.Join(filepath.Dir(dir), "state.d")),
		"warning  the status page cannot be served at "+taken.Addr().String()+", which is tried again: ", "address already in use",
		"warning  [log] output and format change with the next restart",
		"warning  [global] state_dir changes with the next restart; until then it is ",
		"reloaded: ")
}

// TestEveryCommandOfTheSocketSpeaksJSON: scripts need not know which do.
func TestEveryCommandOfTheSocketSpeaksJSON(t *testing.T) {
	t.Parallel()
	var judge func(cmd *cobra.Command)
	judge = func(cmd *cobra.Command) {
		if cmd.Runnable() && !cmd.HasSubCommands() && cmd.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			judge(sub)
		}
	}
	for _, name := range []string{"status", "why", "silence", "ack", "reload", "loglevel", "queue"} {
		cmd, _, err := newRoot().Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		judge(cmd)
	}
}

func TestTheLogLevelChangesAtOnce(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	for _, c := range []struct{ args, want string }{{"", "info\n"}, {"debug", "info -> debug\n"}, {"", "debug\n"}} {
		if got := asks(t, append([]string{"loglevel", "-configs", dir}, strings.Fields(c.args)...)...); got != c.want {
			t.Errorf("loglevel %s: %q, want %q", c.args, got, c.want)
		}
	}
	if _, errs, code := catpaw(t, "loglevel", "-configs", dir, "debgu"); code != 1 || !strings.Contains(errs, `did you mean "debug"?`) {
		t.Errorf("%d %s", code, errs)
	}
}

// TestTheSocketIsTheUsersOwn: nobody else may open it, and what it does not know it refuses.
func TestTheSocketIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	_, dir, _ := operated(t)
	path := filepath.Join(filepath.Dir(dir), "state.d/catpaw.sock")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	defer client.CloseIdleConnections()
	const huge = "?huge" // with a body of 1 MiB
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "status", 200}, {"HEAD", "queues", 200}, {"POST", "status", 405}, {"DELETE", "queues", 405}, {"GET", "reload", 405},
		{"GET", "nothing", 404}, {"GET", "why", 422}, {"POST", "queues/none/purge", 422}, {"GET", "../../etc/passwd", 404},
		{"POST", "reload" + huge, 413}, {"DELETE", "silences/77" + huge, 413}, {"POST", "nothing" + huge, 404}, {"DELETE", "status" + huge, 405},
	} {
		body := "x"
		if strings.HasSuffix(c.path, huge) {
			body = strings.Repeat("x", 1<<20)
		}
		request, err := http.NewRequest(c.method, "http://catpaw/api/v1/"+c.path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
			continue
		}
		response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, response.StatusCode, c.want)
		}
	}
}

// TestAnAgentThatStopsTakesNoOrders: what it said yes to would be gone.
func TestAnAgentThatStopsTakesNoOrders(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(func() { close(over); sink.Close() }) // when the agent is gone
	dir, say := scripted(t, fmt.Sprintf("[[outputs.webhook]]\nurl = %q\ntimeout = '1m'\n", sink.URL))
	say("Warning")
	a := start(t, "-configs", dir)
	a.waitLog("catpaw runs")
	for !strings.Contains(asks(t, "queue", "-configs", dir), "webhook  1 ") {
		time.Sleep(20 * time.Millisecond)
	}
	a.signal(syscall.SIGTERM)
	a.waitLog("catpaw stops")
	out, errs, code := catpaw(t, "silence", "add", "-configs", dir, "--match", "check=*", "--for", "1h")
	if code != 1 || !strings.Contains(errs, "no catpaw runs") {
		t.Errorf("it takes a silence: %q %q %d", out, errs, code)
	}
}

func TestChangedFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir, say := scripted(t, stdoutOnly+"[global]\nwatch_config = true\n")
	say("Ok")
	a := start(t, "-configs", dir)
	a.waitLog("catpaw runs")
	write(t, dir, map[string]string{"p.exec/b.toml": "[[instances]]\ncommands = [['true']]\n"})
	a.waitLog(`reloaded {"added": 1, "removed": 0`)
	write(t, dir, map[string]string{"p.exec/b.toml": "[[instances]]\ncomands = 1\n"})
	a.waitLog("reload refused, the old configuration goes on")
	write(t, dir, map[string]string{"config.toml": stdoutOnly, "p.exec/b.toml": "[[instances]]\ncommands = [['true']]\ninterval = 7\n"})
	a.waitLog(`reloaded {"added": 0, "removed": 1, "changed": 1`) // the one is [global]
	if n := strings.Count(a.logged(), "reload refused"); n != 1 {
		t.Errorf("a faulty configuration is refused %d times", n)
	}
}
