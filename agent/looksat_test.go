package agent

import (
	"fmt"
	"strings"
	"testing"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

type keys = []pipeline.Labels

func TestWhatACheckLooksAtFitsACell(t *testing.T) {
	t.Parallel()
	target := func(name string) pipeline.Labels { return pipeline.L("check", "c", "target", name) }
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		keys keys
		want string
	}{
		"one target":                   {keys{target("a")}, "a"},
		"a name where there is none":   {keys{pipeline.L("check", "kernel log")}, "kernel log"},
		"a name beside a target":       {keys{target("/bin/disk"), pipeline.L("check", "disk")}, "/bin/disk"},
		"a target of several alerts":   {keys{target("a"), target("a")}, "a"},
		"more than three":              {keys{target("a"), target("b"), target("c"), target("d")}, "a, b, c and 1 more"},
		"what is left out, of all":     {keys{target(long)}, long[:68] + "… (232 bytes left out)"},
		"and where there are more yet": {keys{target(long), target("b"), target("c"), target("d")}, long[:57] + "… (249 bytes left out) and 1 more"},
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
	var many keys
	for i := range 50 {
		many = append(many, target(fmt.Sprint(i)))
	}
	if got := looksAt(many); got != "0, 1, 2 and 47 more" {
		t.Error(got)
	}
}
