// Package pattern has regular expressions that are compiled when they are first used. The thirteen of the packages
// that every start loads took 0.2 ms of it and 66 KB for good, and most agents need one or two.
package pattern

import (
	"regexp"
	"sync"
)

// Lazy returns a function that returns the expression; its first call panics where that is none.
func Lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
