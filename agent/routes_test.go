package agent

import (
	"testing"

	"catpaw/pipeline"
)

func TestOutputsSayOfWhatTheyWantToHear(t *testing.T) {
	t.Parallel()
	c := load(t, confd(t, map[string]string{"p.net/a.toml": netOne, "config.toml": `
[[outputs.stdout]]
min_severity = "critical"
match = { env = "prod*", check = ["a", "b"] }
match_not.team = "db"
recovery = false
[[outputs.stdout]]
name = "all"
`}))
	route := c.Outputs[0].Route
	if route.MinSeverity != pipeline.Critical || len(route.Match) != 2 || len(route.MatchNot) != 1 || !route.NoRecovery {
		t.Errorf("route %+v", route)
	}
	if route.LeavesOut(pipeline.L("env", "production", "check", "b", "team", "web"), pipeline.Critical) != "" {
		t.Error("what fits is not wanted")
	}
	route = c.Outputs[1].Route
	if route.MinSeverity != pipeline.Info || route.NoRecovery || route.LeavesOut(nil, pipeline.Info) != "" {
		t.Errorf("by default: %+v", route)
	}
	wantFaults(t, confd(t, map[string]string{"p.net/a.toml": netOne, "config.toml": `
[[outputs.stdout]]
min_severity = "Ok"
match.env = "["
match.check = []
match_not = { team = ["a", "[", 5] }
recovery = "no"
`}),
		`DIR/config.toml:3: min_severity: "Ok" is not a severity`,
		`DIR/config.toml:4: match.env: the glob "[" is wrong`,
		`DIR/config.toml:5: match.check: it has no pattern: nothing could match`,
		`DIR/config.toml:6: match_not.team[2]: expected a string, not the number 5`,
		`DIR/config.toml:7: recovery: expected true or false, not a string`,
	)
}
