package command

import (
	"os"
	"os/exec"
	"strconv"
)

type signal int

const (
	terminate signal = iota
	kill
)

func own(*exec.Cmd, *User) {}

// signal ends the process and those it started that can still be found through it. Windows knows no
// request to end, so both signals are the same.
func (c *child) signal(signal) {
	select {
	case <-c.exited:
	default:
		exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(c.cmd.Process.Pid)).Run()
		c.cmd.Process.Kill()
	}
}

func (c *child) awaitExit() { c.cmd.Wait() }

func signalName(*os.ProcessState) string { return "" }
