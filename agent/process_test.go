package agent

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"catpaw/agent/api"
)

// TestAProcessIsKnownByItsMark: a clock that is set moves the time at which it seems to have begun.
func TestAProcessIsKnownByItsMark(t *testing.T) {
	t.Parallel()
	own, err := ThisProcess(os.Getpid(), "me")
	if err != nil {
		t.Fatal(err)
	}
	if marked := own.Mark != ""; marked != (runtime.GOOS == "linux") {
		t.Skipf("the mark is %q", own.Mark)
	}
	const hour = int64(time.Hour / time.Millisecond)
	for _, c := range []struct {
		name string
		mark string
		late int64 // by so much it seems to have begun later
		runs bool
	}{
		{"it is the same", own.Mark, 0, true},
		{"the clock was set", own.Mark, -hour, own.Mark != ""},
		{"another has its PID", "1@another boot", 0, own.Mark == ""},
		{"an older version has stored it", "", 0, true},
		{"an older version has stored it, and the boot time is not exact", "", 900, true},
		{"an older version has stored it, and another has its PID", "", hour, false},
	} {
		p := api.Process{PID: own.PID, Begun: own.Begun + c.late, Mark: c.mark}
		if got := processRuns(&p); got != c.runs || got && p.Mark != own.Mark {
			t.Errorf("%s: runs %v, and is known as %q", c.name, got, p.Mark)
		}
	}
}

// TestAMarkIsTheProcesssOwn, and gone with it.
func TestAMarkIsTheProcesssOwn(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there are marks on Linux only")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	p, err := ThisProcess(child.Process.Pid, "sleep")
	if err != nil || p.Mark == "" || p.Mark == markOf(os.Getpid()) || !processRuns(&p) {
		t.Errorf("%+v (%v)", p, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it says that it was killed
	if processRuns(&p) || markOf(p.PID) != "" {
		t.Error("it runs on")
	}
}
