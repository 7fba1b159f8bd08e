//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// exitCode is that of a command as a shell gives it: 128 and the signal's number where one ended it.
func exitCode(exit *exec.ExitError) int {
	const bySignal = 128
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return bySignal + int(status.Signal())
	}
	return max(1, exit.ExitCode())
}
