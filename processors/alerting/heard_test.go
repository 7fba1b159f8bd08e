package alerting

import (
	"encoding/json"
	"strings"
	"testing"
	"unsafe"

	"catpaw/internal/match"
	"catpaw/pipeline"
)

// TestTheStorySaysWhoLeavesAnAlertOut: what no output wants was not told.
func TestTheStorySaysWhoLeavesAnAlertOut(t *testing.T) {
	t.Parallel()
	const bad, worse, good = pipeline.Warning, pipeline.Critical, pipeline.Ok
	glob, _ := match.CompileSet([]string{"none"})
	all := pipeline.OutputSpec{Name: "stdout", Plugin: "stdout"}
	team := pipeline.OutputSpec{Name: "chat", Plugin: "webhook", Route: pipeline.Route{Match: []pipeline.LabelGlobs{{Label: "team", Patterns: []string{"none"}, Globs: glob}}}}
	pager := pipeline.OutputSpec{Name: "pager", Plugin: "webhook", Route: pipeline.Route{MinSeverity: worse}}
	quiet := pipeline.OutputSpec{Name: "quiet", Plugin: "webhook", Route: pipeline.Route{NoRecovery: true}}
	for _, c := range []struct {
		name    string
		outputs []*pipeline.OutputSpec
		sees    []pipeline.Status
		told    int
		heard   string // outputs, as JSON
		want    string
	}{
		{"every output wants it", outputs(all), []pipeline.Status{bad}, 1, `["stdout"]`,
			"Warning x1 told: it fires | told again with every"},
		{"none does", outputs(team, pager), []pipeline.Status{bad, bad, bad}, 0, `[]`,
			"Warning x3 not told: no output wants it (webhook chat: match asks for team = none; webhook pager: below min_severity Critical) | no output wants it (webhook chat: match"},
		{"some do", outputs(all, team, pager), []pipeline.Status{bad}, 1, `["stdout"]`,
			"Warning x1 told: it fires; left out: webhook chat: match asks for team = none; webhook pager: below min_severity Critical | told again with every"},
		{"one wants it when it got worse", outputs(pager), []pipeline.Status{bad, worse}, 2, `["pager"]`,
			"Warning x1 not told: no output wants it (webhook pager: below min_severity Critical)#Critical x1 told: it got worse | told again with every"},
		{"what nobody heard of ends for nobody", outputs(pager), []pipeline.Status{bad, good}, 0, `null`,
			"Warning x1 not told: no output#Ok x1 over, and not told: no output is to hear of it | over"},
		{"whoever heard of it wants no end", outputs(quiet), []pipeline.Status{bad, good}, 0, `null`,
			"Warning x1 told: it fires#Ok x1 over, and not told: no output is to hear of it (webhook quiet: recovery = false) | over"},
		{"one of those who heard of it wants no end", outputs(all, quiet), []pipeline.Status{bad, good}, 0, `null`,
			"Warning x1 told: it fires#Ok x1 told: it is over; left out: webhook quiet: recovery = false | over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			one := check("exec/1", func(c *pipeline.Check) { c.Policy.RepeatInterval, c.Policy.FlapWindow = 0, 0 })
			r.p.Configure([]*pipeline.Check{one}, everyPlugin)
			r.p.Route(c.outputs)
			for _, status := range c.sees {
				r.run(one, well, finding{key: "disk", status: status})
			}
			stories, _ := r.p.Stories("disk", r.now)
			s := stories[0]
			lines, standing, _ := strings.Cut(c.want, " | ")
			wantTexts(t, s, strings.Split(lines, "#"), standing)
			data, _ := json.Marshal(s.Outputs)
			if s.Told != c.told || string(data) != c.heard {
				t.Errorf("told %d times, to %s; want %d, %s", s.Told, data, c.told, c.heard)
			}
			if s.Told == 0 && !(s.LastTold.IsZero() && s.Next.IsZero()) {
				t.Errorf("it was told %s, and is again %s", s.LastTold, s.Next)
			}
		})
	}
}

// TestAnAlertThatAnOutputWantsFromNowOnIsToldAgain: a reload may give it an output.
func TestAnAlertThatAnOutputWantsFromNowOnIsToldAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	one := check("exec/1", func(c *pipeline.Check) { c.Policy.RepeatInterval = 0 })
	r.p.Configure([]*pipeline.Check{one}, everyPlugin)
	r.p.Route(outputs(pipeline.OutputSpec{Name: "pager", Route: pipeline.Route{MinSeverity: pipeline.Critical}}))
	r.run(one, well, bads("disk"))
	r.p.Route(outputs(pipeline.OutputSpec{Name: "pager"}))
	if v := r.p.Snapshot(r.now).Views()[0]; v.Told != 0 || !strings.HasPrefix(v.Standing, "told again with every bad result") {
		t.Errorf("told %d times, %s", v.Told, v.Standing)
	}
}

// TestAnAlertIsSmall: a host may have a million of them, and a larger one takes 21 bytes more for each: then fewer of
// them fit into a page of the heap.
func TestAnAlertIsSmall(t *testing.T) {
	t.Parallel()
	if n := unsafe.Sizeof(entry{}); n > 192 {
		t.Errorf("an alert takes %d bytes", n)
	}
	if n := unsafe.Sizeof(chapter{}); n > 24 {
		t.Errorf("a line of its story takes %d bytes", n)
	}
}
