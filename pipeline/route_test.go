package pipeline

import (
	"testing"

	"catpaw/internal/match"
)

func globs(t *testing.T, label string, patterns ...string) LabelGlobs {
	t.Helper()
	set, err := match.CompileSet(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return LabelGlobs{label, patterns, set}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	labels := L("check", "disk usage", "env", "production", "from_plugin", "exec")
	for _, c := range []struct {
		name  string
		route Route
		worst Status
		left  string // why it is left out, "" where it is not
	}{
		{"no route is every alert", Route{}, Info, ""},
		{"bad enough", Route{MinSeverity: Warning}, Warning, ""},
		{"not bad enough", Route{MinSeverity: Warning}, Info, "below min_severity Warning"},
		{"a label fits", Route{Match: []LabelGlobs{globs(t, "env", "prod*")}}, Info, ""},
		{"any glob of a label is enough", Route{Match: []LabelGlobs{globs(t, "env", "staging", "prod*")}}, Info, ""},
		{"every label must fit", Route{Match: []LabelGlobs{globs(t, "env", "prod*"), globs(t, "from_plugin", "http")}}, Info, "match asks for from_plugin = http"},
		{"a label that is not there is empty", Route{Match: []LabelGlobs{globs(t, "team", "")}}, Info, ""},
		{"a label that is not there fits no word", Route{Match: []LabelGlobs{globs(t, "team", "db")}}, Info, "match asks for team = db"},
		{"one that fits what is not wanted is out", Route{MatchNot: []LabelGlobs{globs(t, "team", "db"), globs(t, "check", "disk*")}}, Info, "match_not has check = disk*"},
		{"none fits what is not wanted", Route{MatchNot: []LabelGlobs{globs(t, "team", "db")}}, Info, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.route.LeavesOut(labels, c.worst); got != c.left {
				t.Errorf("left out: %q", got)
			}
		})
	}
}

func TestARouteInWords(t *testing.T) {
	t.Parallel()
	team, env := globs(t, "team", "db", "web*"), globs(t, "env", "test")
	for want, route := range map[string]Route{
		"all":                     {},
		"Critical, no recoveries": {MinSeverity: Critical, NoRecovery: true},
		"Warning and worse, team = db or web*, not env = test": {MinSeverity: Warning, Match: []LabelGlobs{team}, MatchNot: []LabelGlobs{env}},
	} {
		if got := route.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
