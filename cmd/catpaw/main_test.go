package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"catpaw/agent"
)

// beCatpaw makes this test binary behave as the real one, so that tests run the program and not a part of it.
const beCatpaw = "CATPAW_TEST_BE_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beCatpaw) != "" {
		os.Unsetenv(beCatpaw)
		main()
		return
	}
	if path := os.Getenv(beAScript); path != "" {
		script(path)
		return
	}
	if order := os.Getenv(beBareClient); order != "" {
		bareClient(order)
		return
	}
	os.Exit(m.Run())
}

const patience = 20 * time.Second // of tests that wait for something to happen; never how long it should take

func confd(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "conf.d")
	write(t, dir, files)
	return dir
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), beCatpaw+"=1", "NO_PROXY=*")
	return cmd
}

// catpaw runs the program to its end.
func catpaw(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), code
}

// program is the running program.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // of standard output
	out   io.ReadCloser
	mu    sync.Mutex
	log   bytes.Buffer
	ended chan error
}

func (a *program) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

func (a *program) logged() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.String()
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	return startCommand(t, command(t, args...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	cmd.Env = append(os.Environ(), beCatpaw+"=1", "NO_PROXY=*")
	a := &program{t: t, cmd: cmd, lines: make(chan string, 10000), ended: make(chan error, 1)}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	a.out, a.cmd.Stdout, a.cmd.Stderr = reader, writer, a
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	go func() { a.ended <- a.cmd.Wait() }()
	go func() {
		defer close(a.lines)
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			a.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() { a.cmd.Process.Kill(); reader.Close() })
	return a
}

func (a *program) line() string {
	a.t.Helper()
	select {
	case line, open := <-a.lines:
		if !open {
			a.t.Fatalf("standard output ended; log:\n%s", a.logged())
		}
		return line
	case <-time.After(patience):
		a.t.Fatalf("nothing on standard output; log:\n%s", a.logged())
	}
	return ""
}

func (a *program) event() (e struct {
	Status string            `json:"event_status"`
	Key    string            `json:"alert_key"`
	Labels map[string]string `json:"labels"`
	Text   string            `json:"description"`
	Count  int               `json:"notify_count"`
}) {
	a.t.Helper()
	line := a.line()
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		a.t.Fatalf("not an event: %q", line)
	}
	return e
}

func (a *program) signal(s os.Signal) {
	a.t.Helper()
	if err := a.cmd.Process.Signal(s); err != nil {
		a.t.Fatal(err)
	}
}

func (a *program) wait() error {
	a.t.Helper()
	select {
	case err := <-a.ended:
		return err
	case <-time.After(patience):
		a.t.Fatalf("the agent does not end; log:\n%s", a.logged())
	}
	return nil
}

// until waits for something to become true.
func until(t *testing.T, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come true")
		}
	}
}

func (a *program) waitLog(piece string) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(a.logged(), piece); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			a.t.Fatalf("the log never says %q:\n%s", piece, a.logged())
		}
	}
}

// sink is an HTTP server that passes on what is posted to it.
func sink(t *testing.T) (url string, bodies chan string) {
	bodies = make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- r.Header.Get("Content-Type") + " " + string(body)
	}))
	t.Cleanup(server.Close)
	return server.URL, bodies
}

func next(t *testing.T, bodies chan string) string {
	t.Helper()
	select {
	case body := <-bodies:
		return body
	case <-time.After(patience):
		t.Fatal("nothing was posted")
	}
	return ""
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestFromADeadTargetToFlashDutyAndBack(t *testing.T) {
	t.Parallel()
	url, bodies := sink(t)
	target := freeAddress(t)
	dir := confd(t, map[string]string{
		"config.toml": fmt.Sprintf(`
[global]
interval = 0.2
[global.labels]
from_agent = "catpaw"
from_hostip = "10.211.55.3"
from_hostname = "ubuntu-linux-22-04-desktop"
[flashduty]
url = "%s/push?integration_key=hunter2"
`, url),
		"p.http/http.toml": fmt.Sprintf("[[instances]]\ntargets = [\"http://%s/request\"]\n", target),
	})
	a := start(t, "-configs", dir)
	body := next(t, bodies)
	rest, ok := strings.CutPrefix(body, `application/json {"event_time":`)
	if !ok {
		t.Fatalf("posted %s", body)
	}
	_, rest, _ = strings.Cut(rest, ",")
	rest, ok = strings.CutPrefix(rest, `"event_status":"Warning","alert_key":"`)
	if !ok {
		t.Fatalf("posted %s", body)
	}
	rest, ok = strings.CutPrefix(rest[32:], fmt.Sprintf(`","labels":{"check":"HTTP check failed","from_agent":"catpaw","from_hostip":"10.211.55.3","from_hostname":"ubuntu-linux-22-04-desktop","from_plugin":"http","method":"GET","target":"http://%s/request"},"title_rule":"$check","description":"[MD]`, target))
	if !ok || strings.Count(rest, `":`) != 0 || !strings.HasSuffix(rest, `"}`) {
		t.Fatalf("posted %s", body)
	}
	listener, err := net.Listen("tcp", target)
	if err != nil {
		t.Skipf("somebody took %s meanwhile: %v", target, err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	defer server.Close()
	go server.Serve(listener)
	if body := next(t, bodies); !strings.Contains(body, `"event_status":"Ok"`) || !strings.Contains(body, "and told once") {
		t.Errorf("posted %s", body)
	}
	a.signal(syscall.SIGTERM)
	if err := a.wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if strings.Contains(a.logged(), "hunter2") {
		t.Errorf("the log tells the key:\n%s", a.logged())
	}
}

// dead is a check that is bad at once, twelve times a second at most.
func dead(t *testing.T) string {
	return fmt.Sprintf("interval = 0.1\n[[instances]]\ntargets = [%q]\n[instances.alerting]\nrepeat_interval = 0\n", freeAddress(t))
}

const stdoutOnly = "[[outputs.stdout]]\n"

func TestStandardOutputIsForEventsOnly(t *testing.T) {
	t.Parallel()
	a := start(t, "--configs="+confd(t, map[string]string{"config.toml": stdoutOnly + "[log]\noutput = \"stdout\"\nlevel = \"debug\"\n", "p.net/a.toml": dead(t)}))
	first := a.event()
	for i := 2; i < 5; i++ {
		if e := a.event(); e.Key != first.Key || len(e.Key) != 32 || e.Count != i {
			t.Errorf("event %+v after %+v", e, first)
		}
	}
}

func TestAReaderThatLeavesEndsTheAgent(t *testing.T) {
	t.Parallel()
	a := start(t, "-configs", confd(t, map[string]string{"config.toml": stdoutOnly, "p.net/a.toml": dead(t)}))
	a.line()
	a.out.Close()
	if err := a.wait(); err != nil || strings.Contains(a.logged(), "panic") {
		t.Errorf("ended with %v; log:\n%s", err, a.logged())
	}
}

func TestAReaderThatLeavesEndsAnAgentThatHasNothingToSay(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	a := start(t, "-configs", confd(t, map[string]string{
		"config.toml": stdoutOnly, "p.net/a.toml": fmt.Sprintf("[[instances]]\ntargets = [%q]\n", listener.Addr())}))
	a.waitLog("catpaw runs")
	a.out.Close()
	if err := a.wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestAHangingSinkLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release); hanging.Close() })
	a := start(t, "-configs", confd(t, map[string]string{
		"config.toml":  stdoutOnly + fmt.Sprintf("[[outputs.webhook]]\nurl = %q\ntimeout = 60\n", hanging.URL),
		"p.net/a.toml": dead(t),
	}))
	for i := 1; i <= 20; i++ {
		if e := a.event(); e.Count != i {
			t.Fatalf("event %d has count %d", i, e.Count)
		}
	}
	a.signal(syscall.SIGTERM)
	if err := a.wait(); err != nil || !strings.Contains(a.logged(), "left in the queue") {
		t.Errorf("ended with %v; log:\n%s", err, a.logged())
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{"config.toml": stdoutOnly, "p.net/a.toml": dead(t)})
	a := start(t, "-configs", dir)
	first := a.event()

	write(t, dir, map[string]string{"p.net/b.toml": "[[instances]]\ntargts = []\n"})
	a.signal(syscall.SIGHUP)
	a.waitLog(`unknown option "targts"; did you mean "targets"?`)
	if e := a.event(); e.Key != first.Key || e.Count < 2 {
		t.Errorf("after a refused reload: %+v", e)
	}

	second := strings.Replace(dead(t), "interval = 0.1", "", 1)
	write(t, dir, map[string]string{"p.net/a.toml": "", "p.net/b.toml": second})
	a.signal(syscall.SIGHUP)
	var sawRecovery, sawNew bool
	for !sawRecovery || !sawNew {
		switch e := a.event(); {
		case e.Key == first.Key && e.Status == "Ok":
			sawRecovery = strings.Contains(e.Text, "removed from the configuration")
		case e.Key != first.Key:
			sawNew = e.Status == "Warning"
		}
	}
}

func TestCheckPrintsWhatWouldRun(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{"config.toml": stdoutOnly, "p.net/a.toml": "[[instances]]\ntargets = [\":22\"]\n"})
	stdout, stderr, code := catpaw(t, "check", "-configs", dir)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "localhost:22") || !strings.Contains(stdout, "is good: 1 check, 1 output") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	write(t, dir, map[string]string{"p.net/b.toml": "[[instances]]\ntargets = [\":22222222\"]\ntimeout = \"x\"\n", "p.exec/a.toml": "x = "})
	stdout, stderr, code = catpaw(t, "check", "-configs", dir)
	if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 3 || strings.Contains(stderr, "goroutine") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	good := fmt.Sprintf("[[instances]]\ntargets = [%q]\n", listener.Addr())
	dir := confd(t, map[string]string{"config.toml": "[[outputs.webhook]]\nurl = \"http://127.0.0.1:1\"\n", "p.net/a.toml": good})
	stdout, stderr, code := catpaw(t, "once", "-configs", dir)
	if code != 0 || stderr != "" || !strings.Contains(stdout, listener.Addr().String()) || !strings.Contains(stdout, "connect=") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	write(t, dir, map[string]string{"p.net/b.toml": dead(t)})
	stdout, _, code = catpaw(t, "once", "-configs", dir, "-plugins", "net:exec", "--json")
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); code != 1 || len(lines) != 2 || !json.Valid([]byte(lines[0])) || !strings.Contains(stdout, `"event_status":"Warning"`) {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	if _, _, code = catpaw(t, "-test", "-configs", dir); code != 1 {
		t.Errorf("-test: exit %d", code)
	}
	if _, _, code = catpaw(t, "once", "-configs", dir+"/nowhere"); code != 2 {
		t.Errorf("no configuration: exit %d", code)
	}
}

func TestWrongUseIsOneClearLine(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown flag":        {"-confg", "x"},
		"unknown command":     {"chek"},
		"bad interval":        {"-interval", "soon"},
		"missing directory":   {"-configs", "/nowhere/at/all"},
		"too many arguments":  {"check", "this"},
		"flag without value":  {"-configs"},
		"unknown log level":   {"-loglevel", "loud", "-configs", confd(t, map[string]string{"p.net/a.toml": "[[instances]]\ntargets = []\n"})},
		"interval of nothing": {"-interval", "0"},
	} {
		stdout, stderr, code := catpaw(t, args...)
		if code == 0 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "catpaw: ") {
			t.Errorf("%s: exit %d\n%s%s", name, code, stdout, stderr)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"-version"}, {"--version"}} {
		if stdout, _, code := catpaw(t, args...); code != 0 || !strings.HasPrefix(stdout, "catpaw ") {
			t.Errorf("%v: exit %d, %q", args, code, stdout)
		}
	}
	if stdout, _, code := catpaw(t, "completion", "bash"); code != 0 || !strings.Contains(stdout, "complete") {
		t.Errorf("completion: exit %d", code)
	}
}

func TestOneDashOrTwo(t *testing.T) {
	t.Parallel()
	got := strings.Join(longFlags([]string{"-configs", "x", "--url", "-h", "-test=true", "-", "--", "-plugins"}), " ")
	if got != "--configs x --url -h --test=true - -- -plugins" {
		t.Errorf("became %s", got)
	}
}

func TestPasswordsInURLsAreNotPrinted(t *testing.T) {
	t.Parallel()
	dir := confd(t, map[string]string{
		"p.http/a.toml": "[[instances]]\ntargets = ['http://root:geheim-1@127.0.0.1:1/', 'http://root:geheim-1@127.0.0.1:1/']\ntimeout = '1s'\n",
	})
	for _, args := range [][]string{{"check"}, {"once"}} {
		out, errOut, _ := catpaw(t, append(args, "-configs", dir)...)
		if strings.Contains(out+errOut, "geheim") || !strings.Contains(out, "root:***@127.0.0.1") {
			t.Errorf("%v printed\n%s%s", args, out, errOut)
		}
	}
}

func TestWhoHasNoConfigurationIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	cmd := command(t)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if _, there := os.Stat(agent.SystemConfigs); there == nil {
		t.Skip(agent.SystemConfigs + " is there")
	}
	if err == nil || !strings.Contains(string(out), "conf.d: cannot read") || !strings.Contains(string(out), "nor is there "+agent.SystemConfigs) || !strings.Contains(string(out), "or write one: catpaw init") {
		t.Errorf("%v %s", err, out)
	}
	if _, said, _ := catpaw(t, "-configs", t.TempDir()+"/conf.d"); strings.Contains(said, agent.SystemConfigs) {
		t.Errorf("a named directory was looked for elsewhere: %s", said)
	}
}

func TestAServiceIsThereOnWindowsOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("it is there")
	}
	if _, said, code := catpaw(t, "service", "install", "--name", "x"); code != 1 || !strings.Contains(said, "on Windows only") {
		t.Errorf("%d %s", code, said)
	}
	if help, _, _ := catpaw(t, "--help"); strings.Contains(help, "service") {
		t.Errorf("the help offers it:\n%s", help)
	}
}
