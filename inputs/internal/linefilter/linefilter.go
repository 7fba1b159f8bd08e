// Package linefilter is the options filter_include and filter_exclude, which choose lines of text.
package linefilter

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"catpaw/internal/config"
	"catpaw/internal/match"
)

// Options is embedded in a probe's options.
type Options struct {
	// patterns of which any makes a line bad. Default: every line.
	FilterInclude []string `toml:"filter_include"`
	// patterns of which any excuses it
	FilterExclude []string `toml:"filter_exclude"`

	include, exclude *match.Set
	needles          *match.Searcher // each line that is chosen holds one of these; nil = nobody knows
}

// Compile judges the options and makes Match ready. A filter without any pattern is a fault: it would
// choose everything.
func (o *Options) Compile() error {
	if len(o.FilterInclude)+len(o.FilterExclude) == 0 {
		return config.Field("filter_include", `say which lines are bad, as in filter_include = ["*error*"] (and which of them are not, with filter_exclude)`)
	}
	var errs []error
	compile := func(option string, patterns []string) *match.Set {
		set, err := match.CompileLines(patterns)
		for _, fault := range match.Faults(err) {
			errs = append(errs, config.Field(fmt.Sprintf("%s[%d]", option, fault.Index), "%v", fault.Err))
		}
		return set
	}
	o.include = compile("filter_include", o.FilterInclude)
	o.exclude = compile("filter_exclude", o.FilterExclude)
	o.needles = match.NewSearcher(o.include.Needles())
	return errors.Join(errs...)
}

// Warnings tells of include patterns that are one word without a star: they match lines that are just that
// word, which is rarely what is meant.
func (o *Options) Warnings() (warnings []string) {
	for i, pattern := range o.FilterInclude {
		isRegexp := len(pattern) > 1 && strings.HasPrefix(pattern, "/") && strings.HasSuffix(pattern, "/")
		if !isRegexp && pattern != "" && !strings.ContainsAny(pattern, "*?[ ") {
			warnings = append(warnings, fmt.Sprintf("filter_include[%d]: %q matches only lines that are exactly this; for lines that hold it write \"*%s*\"", i, pattern, pattern))
		}
	}
	return warnings
}

// Match reports whether a line is chosen: an include pattern matches it, or there is none, and no
// exclude pattern does. It is safe for concurrent use.
func (o *Options) Match(line string) bool {
	return (o.include.Len() == 0 || o.include.Match(line)) && !o.exclude.Match(line)
}

// Each calls found for every chosen line of text, which holds whole lines, each ended by a line feed but
// perhaps the last. A carriage return before it belongs to the line's end. Found must not keep the line.
//
// Lines are only looked at where a needle is: of a log with few such lines 2 GB/s are searched and more, and
// 0.4 where every line must be matched.
func (o *Options) Each(text []byte, found func(line []byte)) {
	if o.needles == nil {
		for line := range bytes.Lines(text) {
			o.try(line, found)
		}
		return
	}
	for len(text) > 0 {
		needle := o.needles.Index(text)
		if needle < 0 {
			return
		}
		begin := bytes.LastIndexByte(text[:needle], '\n') + 1
		end := len(text)
		if i := bytes.IndexByte(text[needle:], '\n'); i >= 0 {
			end = needle + i + 1
		}
		o.try(text[begin:end], found)
		text = text[end:]
	}
}

func (o *Options) try(line []byte, found func(line []byte)) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte{'\n'}), []byte{'\r'})
	if o.Match(unsafe.String(unsafe.SliceData(line), len(line))) { // which keeps nothing of it
		found(line)
	}
}

// MatchAny is Match for a line that can be written in several forms: an include pattern matches any of
// them, or there is none, and no exclude pattern matches any. It is safe for concurrent use.
func (o *Options) MatchAny(forms ...string) bool {
	return (o.include.Len() == 0 || slices.ContainsFunc(forms, o.include.Match)) && !slices.ContainsFunc(forms, o.exclude.Match)
}
