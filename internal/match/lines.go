package match

import (
	"fmt"
	"regexp"
	"strings"
)

// CompileLine reads a pattern over a line of text: as Compile, and `/…/` is a regular expression
// (RE2) that may match anywhere in the line.
func CompileLine(pattern string) (*Pattern, error) {
	expression, isRegexp := strings.CutPrefix(pattern, "/")
	expression, closed := strings.CutSuffix(expression, "/")
	if !isRegexp || !closed || expression == "" {
		return Compile(pattern)
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %s is wrong: %w", pattern, err)
	}
	return &Pattern{source: pattern, match: compiled.MatchString, needles: literalsOfRegexp(expression)}, nil
}

// CompileLines reads a list of patterns over lines of text. Errors are as those of CompileSet.
func CompileLines(patterns []string) (*Set, error) { return compileEach(patterns, CompileLine) }
