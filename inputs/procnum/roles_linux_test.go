package procnum

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// quickExit: a child under the race detector waits for a second before it ends.
const quickExit = "GORACE=atexit_sleep_ms=0"

// play is what a child does: get ready as the role says, tell so, live until standard input ends.
func play(role string) int {
	role, text, _ := strings.Cut(role, " ")
	switch role {
	case "live":
	case "rename": // what prctl(PR_SET_NAME) in the first thread does
		if err := os.WriteFile("/proc/self/comm", []byte(text), 0); err != nil {
			return 1
		}
	case "title": // as setproctitle does
		overwriteArguments(text)
	case "leaderless":
		return leaderless()
	case "crowd":
		return crowd(text)
	case "look":
		return lookAlone(text)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// overwriteArguments writes a title over the memory of the arguments, which lie one after the other.
func overwriteArguments(title string) {
	length := 0
	for _, arg := range os.Args {
		length += len(arg) + 1
	}
	clear(unsafe.Slice(unsafe.StringData(os.Args[0]), length))
	copy(unsafe.Slice(unsafe.StringData(os.Args[0]), length-1), title)
}

// leaderless ends the first thread of the process. The others live on.
func leaderless() int {
	leave := func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
		}
	}
	go func() {
		runtime.LockOSThread()
		for {
			stat, _ := os.ReadFile("/proc/self/stat")
			if strings.Contains(string(stat), ") Z ") {
				break
			}
			go func() { leave(); select {} }() // until one gets the first thread
			runtime.Gosched()
		}
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	leave()
	select {}
}

// crowd starts processes that sleep, as many as are asked for.
func crowd(text string) int {
	want, _ := strconv.Atoi(text)
	var children []*exec.Cmd
	for range want {
		child := exec.Command("sleep", "3600", "-crowd-of-catpaw-with-some-more-arguments-as-is-usual")
		child.Args = []string{"sleep", "3600"}
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		runtime.LockOSThread()
		if err := child.Start(); err != nil {
			break
		}
		children = append(children, child)
	}
	fmt.Println("ready", len(children))
	io.Copy(io.Discard, os.Stdin)
	for _, child := range children {
		child.Process.Kill()
	}
	for _, child := range children {
		child.Wait()
	}
	return 0
}

// lookAlone runs the probe with options from the environment and prints its event.
func lookAlone(string) int {
	p := New(NewTable())
	if err := pipetest.TryOptions(os.Getenv("CATPAW_TEST_OPTIONS"), p); err != nil {
		fmt.Println("ready", err)
		return 1
	}
	events, _, err := pipeline.Look(context.Background(), pipetest.Check(p))
	text, _ := json.Marshal(events)
	fmt.Println("ready", string(text), err)
	return 0
}

// child is a running copy of this test binary, or another program.
type child struct {
	pid   int
	said  string // after "ready"
	exec  *exec.Cmd
	stdin io.Closer
}

// start starts a child in a role and waits until it is ready. argv replaces the arguments it shows.
func start(t testing.TB, path, role string, argv ...string) *child {
	t.Helper()
	command := exec.Command(path)
	command.Args = append([]string{path}, argv...)
	command.Env = append(os.Environ(), beProcess+"="+role, quickExit)
	return startCommand(t, command)
}

func startCommand(t testing.TB, command *exec.Cmd) *child {
	t.Helper()
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{pid: command.Process.Pid, exec: command, stdin: stdin}
	t.Cleanup(func() { stdin.Close(); command.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not get ready: %v", err)
	}
	c.said = strings.TrimSpace(strings.TrimPrefix(line, "ready"))
	return c
}

// end lets the child end, but does not take notice: it becomes a zombie.
func (c *child) end(t testing.TB) {
	t.Helper()
	c.stdin.Close()
	if err := unix.Waitid(unix.P_PID, c.pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
}

// program is a copy of this test binary under a name of its own.
func program(t testing.TB, name string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if os.Link(os.Args[0], path) == nil {
		return path
	}
	copyProgram(t, path)
	return path
}

func copyProgram(t testing.TB, path string) {
	t.Helper()
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	// A child that another test forks meanwhile would hold the file open for writing: "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// word is one that nothing else on this host says.
func word() string { return "zq" + strings.ToLower(rand.Text()[:12]) }
