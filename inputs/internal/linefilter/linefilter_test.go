package linefilter

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	errorsButNot := Options{FilterInclude: []string{"*error*", "/^fatal:/"}, FilterExclude: []string{"*harmless*", "error 0"}}
	allButNot := Options{FilterExclude: []string{"*ok*"}}
	for _, c := range []struct {
		name    string
		options Options
		line    string
		want    bool
	}{
		{"an include pattern chooses", errorsButNot, "an error", true},
		{"any of them does", errorsButNot, "fatal: gone", true},
		{"what none matches is not chosen", errorsButNot, "fine", false},
		{"exclude wins", errorsButNot, "a harmless error", false},
		{"without include everything is chosen", allButNot, "whatever", true},
		{"but for what is excluded", allButNot, "it is ok.", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.options.Compile(); err != nil {
				t.Fatal(err)
			}
			if got := c.options.Match(c.line); got != c.want {
				t.Errorf("Match(%q) = %v", c.line, got)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options Options
		want    []string
	}{
		{"no pattern at all", Options{}, []string{"filter_include: say which lines"}},
		{"every wrong pattern is told", Options{FilterInclude: []string{"a", "[", "/(/"}, FilterExclude: []string{"["}},
			[]string{"filter_include[1]", "filter_include[2]", "filter_exclude[0]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.options.Compile()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestMatchAny(t *testing.T) {
	t.Parallel()
	o := Options{FilterInclude: []string{"*error*"}, FilterExclude: []string{"harmless"}}
	if err := o.Compile(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		forms []string
		want  bool
	}{
		{"one form is included", []string{"a", "an error"}, true},
		{"none is included", []string{"a", "b"}, false},
		{"one form is excluded", []string{"an error", "harmless"}, false},
		{"there are no forms", nil, false},
	} {
		if got := o.MatchAny(c.forms...); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
