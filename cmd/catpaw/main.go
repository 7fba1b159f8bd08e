// Command catpaw watches one host and tells people when something is wrong.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// exitError ends the program with a status of its own, and no further word where err is nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func main() {
	root := newRoot()
	root.SetArgs(longFlags(os.Args[1:]))
	os.Exit(report(root.Execute()))
}

// report prints what went wrong, one line each, and returns the exit status.
func report(err error) int {
	if err == nil {
		return 0
	}
	code := 1
	var exit *exitError
	if errors.As(err, &exit) {
		code = exit.code
	}
	if text := err.Error(); text != "" {
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintln(os.Stderr, "catpaw: "+line)
		}
	}
	return code
}

// longFlags lets the original's flags go on working with one dash.
func longFlags(args []string) []string {
	fixed := make([]string, len(args))
	for i, arg := range args {
		if arg == "--" {
			copy(fixed[i:], args[i:])
			break
		}
		fixed[i] = arg
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		isNumber := len(arg) > 1 && '0' <= arg[1] && arg[1] <= '9' // a value, as in --for -1h
		if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && len(name) > 1 && !isNumber {
			fixed[i] = "-" + arg
		}
	}
	return fixed
}
