//go:build unix

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asAgent makes the test binary play an agent that starts a command and is then killed.
const asAgent = "CATPAW_TEST_AS_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(asAgent) != "" {
		Run(context.Background(), Spec{Argv: []string{"/bin/sh", "-c", "echo $$; exec sleep 1000"}, Stdout: func(r io.Reader) {
			io.Copy(os.Stdout, r)
		}})
		return
	}
	goleak.VerifyTestMain(m)
}

// sh is a Spec for a shell script that collects stdout into *output.
func sh(script string, output *string) Spec {
	return Spec{Argv: []string{"/bin/sh", "-c", script}, Timeout: 20 * time.Second, Stdout: func(r io.Reader) {
		data, _ := io.ReadAll(r)
		*output = string(data)
	}}
}

// waitGone fails the test unless the process (or what is left of it, a zombie) is dead soon.
func waitGone(t *testing.T, pid string) {
	t.Helper()
	pid = strings.TrimSpace(pid)
	id, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("the script printed %q, not the id of a process", pid)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if syscall.Kill(id, 0) == syscall.ESRCH {
			return
		}
		if stat, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil {
			if _, after, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(after, "Z") {
				return
			}
		}
	}
	t.Errorf("process %s is still alive", pid)
	syscall.Kill(id, syscall.SIGKILL)
}

func TestACommandThatExitsByItself(t *testing.T) {
	t.Parallel()
	var out string
	r := Run(t.Context(), sh("echo hello; echo oops >&2; exit 3", &out))
	if r.Err != nil || r.Exit != 3 || out != "hello\n" || string(r.Stderr) != "oops\n" || r.StderrBytes != 5 || r.StdoutBytes != 6 {
		t.Errorf("result %+v, output %q", r, out)
	}
	if r.Clean() || !r.Started() {
		t.Error("exit status 3 is started and not clean")
	}
}

func TestACommandThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	for argv0, want := range map[string]string{
		"/does/not/exist":    "no such file",
		"no-such-command-xx": "not found",
		t.TempDir():          "permission denied",
	} {
		r := Run(t.Context(), Spec{Argv: []string{argv0}})
		if r.Err == nil || !strings.Contains(r.Err.Error(), want) || r.Started() {
			t.Errorf("%s: %v, want %q", argv0, r.Err, want)
		}
	}
	r := Run(t.Context(), Spec{Argv: []string{"true"}, Dir: "/does/not/exist"})
	if r.Err == nil || !strings.Contains(r.Err.Error(), "/does/not/exist: no such file") {
		t.Errorf("missing directory: %v", r.Err)
	}
}

func TestASignalIsNamed(t *testing.T) {
	t.Parallel()
	r := Run(t.Context(), Spec{Argv: []string{"/bin/sh", "-c", "kill -USR1 $$"}})
	if r.Err != nil || r.Exit != -1 || r.Signal != "user defined signal 1" {
		t.Errorf("result %+v", r)
	}
}

func TestStdinIsEmpty(t *testing.T) {
	t.Parallel()
	var out string
	if r := Run(t.Context(), sh("cat; echo end", &out)); !r.Clean() || out != "end\n" {
		t.Errorf("result %+v, output %q", r, out)
	}
}

func TestTheWholeGroupDiesAtTheTimeout(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"the direct child waits":          "sleep 1000 & echo $!; wait",
		"everybody ignores SIGTERM":       "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1000; done",
		"the child holds only its stderr": "sleep 1000 >/dev/null & echo $!; wait",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out string
			spec := sh(script, &out)
			spec.Timeout = 300 * time.Millisecond
			r := Run(t.Context(), spec)
			if !errors.Is(r.Err, ErrTimeout) {
				t.Errorf("error %v", r.Err)
			}
			if r.Elapsed > spec.Timeout+Overtime+time.Second {
				t.Errorf("took %v", r.Elapsed)
			}
			waitGone(t, out)
		})
	}
}

func TestTheWholeGroupDiesWhenTheAgentStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var out string
	r := Run(ctx, Spec{Argv: []string{"/bin/sh", "-c", "sleep 1000 & echo $!; wait"}, Stdout: func(r io.Reader) {
		b := make([]byte, 64)
		n, _ := r.Read(b)
		out = string(b[:n])
		cancel()
	}})
	if !errors.Is(r.Err, context.Canceled) {
		t.Errorf("error %v", r.Err)
	}
	waitGone(t, out)
}

func TestAGrandchildNeitherHoldsUpAFinishedScriptNorSurvivesIt(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"it holds stdout":         "sleep 1000 & echo $!",
		"it holds nothing":        "sleep 1000 >/dev/null 2>&1 & echo $!",
		"it holds stderr":         "sleep 1000 >/dev/null & echo $!",
		"it ignores SIGTERM":      "(trap '' TERM; sleep 1000) & echo $!",
		"it writes without pause": "(while :; do echo >&2; done) & echo $!",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out string
			r := Run(t.Context(), sh(script, &out))
			if !r.Clean() {
				t.Errorf("result %+v", r)
			}
			if r.Elapsed > 10*time.Second {
				t.Errorf("a finished script took %v", r.Elapsed)
			}
			waitGone(t, out)
		})
	}
}

func TestAProcessThatLeftTheGroupDoesNotHoldUpTheScript(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("setsid is not installed")
	}
	var out string
	r := Run(t.Context(), sh("setsid sleep 1000 & echo $!", &out))
	if !r.Clean() || r.Elapsed > 10*time.Second {
		t.Errorf("result %+v", r)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(out))
	syscall.Kill(pid, syscall.SIGKILL)
}

func TestWhatWasPrintedBeforeTheExitIsReadHoweverSlowly(t *testing.T) {
	t.Parallel()
	total := 0
	r := Run(t.Context(), Spec{Argv: []string{"/bin/sh", "-c", "sleep 1000 & head -c 60000 /dev/zero"}, Stdout: func(r io.Reader) {
		b := make([]byte, 10000)
		for {
			n, err := r.Read(b)
			total += n
			if err != nil {
				return
			}
			<-time.After(60 * time.Millisecond) // in sum longer than lingerGrace
		}
	}})
	if !r.Clean() || total != 60000 {
		t.Errorf("%d bytes, result %+v", total, r)
	}
}

func TestTooMuchOutputEndsTheCommand(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{"on stdout": "yes", "on stderr": "yes >&2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out string
			spec := sh(script, &out)
			spec.MaxOutput = 100_000
			r := Run(t.Context(), spec)
			if !errors.Is(r.Err, ErrTooLong) || len(out) > 100_000 || len(r.Stderr) > stderrKept {
				t.Errorf("error %v, %d and %d bytes", r.Err, len(out), len(r.Stderr))
			}
		})
	}
	var out string
	spec := sh("printf 12345", &out)
	spec.MaxOutput = 5
	if r := Run(t.Context(), spec); !r.Clean() || out != "12345" {
		t.Errorf("output of just the limit: %+v, %q", r, out)
	}
}

func TestAConsumerMayStopReading(t *testing.T) {
	t.Parallel()
	r := Run(t.Context(), Spec{Argv: []string{"/bin/sh", "-c", "head -c 1000000 /dev/zero; exit 2"}, Stdout: func(io.Reader) {}})
	if r.Err != nil || r.Exit != 2 || r.StdoutBytes != 1000000 {
		t.Errorf("result %+v", r)
	}
}

func TestAPanicOfTheConsumerTakesTheCommandWithIt(t *testing.T) {
	t.Parallel()
	var pid string
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic got lost")
			}
		}()
		Run(t.Context(), Spec{Argv: []string{"/bin/sh", "-c", "echo $$; exec sleep 1000"}, Stdout: func(r io.Reader) {
			b := make([]byte, 64)
			n, _ := r.Read(b)
			pid = string(b[:n])
			panic("broken")
		}})
	}()
	waitGone(t, pid)
}

func TestACommandDiesWithAnAgentThatIsKilled(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("only Linux ends children with their parent")
	}
	agent := exec.Command(os.Args[0])
	agent.Env = append(os.Environ(), asAgent+"=1")
	stdout, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	n, _ := stdout.Read(b)
	agent.Process.Kill()
	agent.Wait()
	waitGone(t, string(b[:n]))
}

func TestEnvironmentAndDirectory(t *testing.T) {
	t.Parallel()
	base := []string{"PATH=" + os.Getenv("PATH"), "NOTIFY_SOCKET=/run/x", "WATCHDOG_USEC=1", "LANG=C"}
	env := Environ(base, &User{Name: "nobody", Home: "/nowhere"}, "LANG=de", "A=b c")
	want := []string{base[0], "LANG=C", "HOME=/nowhere", "USER=nobody", "LOGNAME=nobody", "LANG=de", "A=b c"}
	if !slices.Equal(env, want) {
		t.Errorf("environment %q, want %q", env, want)
	}
	dir, _ := filepath.EvalSymlinks(t.TempDir())
	var out string
	spec := sh(`echo "$A|$LANG|$NOTIFY_SOCKET|$(pwd -P)"`, &out)
	spec.Env, spec.Dir = env, dir
	if r := Run(t.Context(), spec); !r.Clean() || out != fmt.Sprintf("b c|de||%s\n", dir) {
		t.Errorf("output %q, result %+v", out, r)
	}
}

func TestAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run commands as somebody else")
	}
	user, err := LookupUser("nobody")
	if err != nil {
		t.Skip(err)
	}
	var out string
	spec := sh("id -un; id -G; echo $HOME; sleep 1000 & ", &out)
	spec.User, spec.Env = user, Environ(os.Environ(), user)
	r := Run(t.Context(), spec)
	lines := strings.Split(out, "\n")
	if !r.Clean() || lines[0] != "nobody" || slices.Contains(strings.Fields(lines[1]), "0") || lines[2] != user.Home {
		t.Errorf("output %q, result %+v", out, r)
	}
}

func TestLookupUser(t *testing.T) {
	t.Parallel()
	if _, err := LookupUser("no-such-user-xx"); err == nil || !strings.Contains(err.Error(), `no user "no-such-user-xx"`) {
		t.Errorf("error %v", err)
	}
	user, err := LookupUser(strconv.Itoa(os.Geteuid()))
	if err != nil || user.Name == "" {
		t.Errorf("own user by number: %+v, %v", user, err)
	}
}
