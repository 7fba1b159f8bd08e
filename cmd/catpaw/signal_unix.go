//go:build unix

package main

import (
	"os"
	"syscall"
)

// faults are signals for what is an error of a write as well, which is how we want to hear of it: a
// reader that has gone, and a file that may not grow (ulimit -f).
var faults = []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}

// passedOn are signals that a command gets that we run for somebody.
var passedOn = []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
