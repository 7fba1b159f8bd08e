package agent

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// keyedInput has keys, and nothing else.
type keyedInput []pipeline.Labels

func (k keyedInput) Keys() []pipeline.Labels                      { return k }
func (keyedInput) Init() error                                    { return nil }
func (keyedInput) Gather(context.Context, *pipeline.Report) error { return nil }

func TestWhatACheckLooksAtFitsACell(t *testing.T) {
	t.Parallel()
	target := func(name string) pipeline.Labels { return pipeline.L("check", "c", "target", name) }
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		keys keyedInput
		want string
	}{
		"one target":                   {keyedInput{target("a")}, "a"},
		"a name where there is none":   {keyedInput{pipeline.L("check", "kernel log")}, "kernel log"},
		"a name beside a target":       {keyedInput{target("/bin/disk"), pipeline.L("check", "disk")}, "/bin/disk"},
		"a target of several alerts":   {keyedInput{target("a"), target("a")}, "a"},
		"more than three":              {keyedInput{target("a"), target("b"), target("c"), target("d")}, "a, b, c and 1 more"},
		"what is left out, of all":     {keyedInput{target(long)}, long[:68] + "… (232 bytes left out)"},
		"and where there are more yet": {keyedInput{target(long), target("b"), target("c"), target("d")}, long[:57] + "… (249 bytes left out) and 1 more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := looksAt(c.keys)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if again := printable.Line(got, printable.Cell); again != got {
				t.Errorf("a cell would show %q", again)
			}
		})
	}
	var many keyedInput
	for i := range 50 {
		many = append(many, target(fmt.Sprint(i)))
	}
	if got := looksAt(many); got != "0, 1, 2 and 47 more" {
		t.Error(got)
	}
}
