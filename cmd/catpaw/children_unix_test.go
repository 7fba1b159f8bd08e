//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestChildrenDieWithTheAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "slow.sh")
	// The script tells its pid by a FIFO, so that nobody has to guess when it runs.
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(script, []byte("#!/bin/sh\nsleep 1000 &\necho $! > "+fifo+"\nwait\n"), 0o755)
	a := start(t, "-configs", confd(t, map[string]string{
		"config.toml": stdoutOnly, "p.exec/a.toml": fmt.Sprintf("[[instances]]\ncommands = [%q]\ntimeout = 1000\n", script)}))
	text, err := os.ReadFile(fifo)
	if err != nil {
		t.Fatal(err)
	}
	a.signal(syscall.SIGTERM)
	if err := a.wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	stat := "/proc/" + strings.TrimSpace(string(text)) + "/stat"
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		data, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(data), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the grandchild lives on: %s", data)
		}
	}
}
