package alerting

import (
	"fmt"
	"strings"
	"testing"

	"catpaw/internal/match"
	"catpaw/pipeline"
)

// heard passes one run and returns what each output hears, as "output:status".
func (r *rig) heard(c *pipeline.Check, found ...finding) string {
	var all []string
	r.run(c, well, found...)
	for _, e := range r.told {
		for _, output := range e.Outputs {
			all = append(all, fmt.Sprint(output, ":", e.Status))
		}
	}
	return strings.Join(all, " ")
}

func outputs(specs ...pipeline.OutputSpec) (all []*pipeline.OutputSpec) {
	for _, spec := range specs {
		all = append(all, &spec)
	}
	return all
}

func with(status pipeline.Status) finding { return finding{"a", status, ""} }

// step is one run, or a reload.
type step struct {
	status  pipeline.Status
	outputs []*pipeline.OutputSpec // not nil: from now on these
	restart bool
	want    string
}

func TestAnOutputHearsOfWhatItWantsAndOfItsEnd(t *testing.T) {
	t.Parallel()
	none, _ := match.CompileSet([]string{"no such check"})
	all, nothing := pipeline.OutputSpec{Name: "all"}, pipeline.OutputSpec{Name: "all", Route: pipeline.Route{Match: []pipeline.LabelGlobs{{Label: "check", Globs: none}}}}
	pager := pipeline.OutputSpec{Name: "pager", Route: pipeline.Route{MinSeverity: pipeline.Critical}}
	silent := pipeline.OutputSpec{Name: "silent", Route: pipeline.Route{NoRecovery: true}}
	for name, steps := range map[string][]step{
		"what is not bad enough is not heard, nor is its end": {
			{status: pipeline.Warning, want: "all:Warning"}, {status: pipeline.Ok, want: "all:Ok"},
		},
		"what gets bad enough is heard from then on": {
			{status: pipeline.Warning, want: "all:Warning"}, {status: pipeline.Critical, want: "all:Critical pager:Critical"},
			{status: pipeline.Warning, want: "all:Warning pager:Warning"}, {status: pipeline.Ok, want: "all:Ok pager:Ok"},
		},
		"the next episode begins anew": {
			{status: pipeline.Critical, want: "all:Critical pager:Critical"}, {status: pipeline.Ok, want: "all:Ok pager:Ok"},
			{status: pipeline.Warning, want: "all:Warning"}, {status: pipeline.Ok, want: "all:Ok"},
		},
		"an output that hears of no end": {
			{outputs: outputs(all, silent), status: pipeline.Warning, want: "all:Warning silent:Warning"}, {status: pipeline.Ok, want: "all:Ok"},
		},
		"an end is heard where the alert was, although the configuration changed": {
			{status: pipeline.Warning, want: "all:Warning"}, {outputs: outputs(nothing, silent), status: pipeline.Ok, want: "all:Ok"},
		},
		"and after a restart": {
			{status: pipeline.Critical, want: "all:Critical pager:Critical"}, {restart: true, outputs: outputs(nothing, pager), status: pipeline.Ok, want: "all:Ok pager:Ok"},
		},
		"a restart does not tell an end where nothing was told": {
			{outputs: outputs(nothing), status: pipeline.Warning, want: ""}, {restart: true, outputs: outputs(all), status: pipeline.Ok, want: ""},
		},
		"an output that came later hears the repeat and the end": {
			{status: pipeline.Warning, want: "all:Warning"}, {outputs: outputs(all, silent, pipeline.OutputSpec{Name: "new"}), status: pipeline.Warning, want: "all:Warning silent:Warning new:Warning"},
			{status: pipeline.Ok, want: "all:Ok new:Ok"},
		},
		"the end waits for an output that is gone": {
			{status: pipeline.Warning, want: "all:Warning"}, {outputs: outputs(pager), status: pipeline.Ok, want: "all:Ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c := check("exec/1", func(c *pipeline.Check) { c.Policy.RepeatInterval, c.Policy.FlapWindow = 0, 0 })
			now := outputs(all, pager)
			for i, step := range steps {
				if step.restart {
					saved := r.saved()
					r = newRig(t)
					r.p.Restore(saved)
				}
				if step.outputs != nil {
					now = step.outputs
				}
				r.p.Configure([]*pipeline.Check{c}, everyPlugin)
				r.p.Route(now)
				if got := r.heard(c, with(step.status)); got != step.want {
					t.Fatalf("step %d: heard %q, want %q", i+1, got, step.want)
				}
			}
		})
	}
}
