//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestAHungAgentIsNamed: who asks a stopped process hears of it, and does not wait for ever.
func TestAHungAgentIsNamed(t *testing.T) {
	t.Parallel()
	a, dir, _ := operated(t)
	a.signal(syscall.SIGSTOP)
	defer a.signal(syscall.SIGCONT)
	_, errs, code := catpaw(t, "status", "-configs", dir)
	if code != 1 || !strings.Contains(errs, "does not answer") {
		t.Errorf("%d %s", code, errs)
	}
}
