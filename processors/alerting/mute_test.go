package alerting

import (
	"slices"
	"strings"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// mutedRig is a rig whose alerts are muted by what is in by.
func mutedRig(t *testing.T, by *string) (r *rig, c *pipeline.Check, fires *[]string) {
	r, fires = newRig(t), new([]string)
	r.p.MuteWith(Muter{By: func(string, pipeline.Labels, time.Time) string { return *by }, Firing: func(key string, _ pipeline.Labels, firing bool) {
		if firing {
			*fires = append(*fires, key)
		} else {
			*fires = slices.DeleteFunc(*fires, func(other string) bool { return other == key })
		}
	}})
	c = check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	return r, c, fires
}

func (r *rig) unmute() []string {
	r.now = r.now.Add(time.Second)
	b := &pipeline.Batch{Now: r.now}
	r.p.Unmute(b)
	return r.process(b)
}

func TestWhatStillFiresWhenTheMuteEndsIsToldThen(t *testing.T) {
	t.Parallel()
	by := "silenced by 1"
	r, c, fires := mutedRig(t, &by)
	r.want(r.run(c, well, bads("a"), bads("b"), bads("gone")), "")
	r.want(r.run(c, well, bads("a"), oks("b")), "")
	r.want(r.unmute(), "")
	if v := r.p.Snapshot(r.now).Views()[0]; v.Phase != "firing" || v.Muted != by || !strings.Contains(v.Standing, "told then") || strings.Join(*fires, " ") != "a" {
		t.Errorf("%+v, fires %v", v, *fires)
	}
	if stories, _ := r.p.Stories("a", r.now); stories[0].Lines[0].Text != "not told: silenced by 1" {
		t.Errorf("%+v", stories)
	}
	by = ""
	r.want(r.unmute(), "a:Warning")
	r.want(r.unmute(), "")
	by = "silenced by 2" // it shows before the next result
	if v := r.p.Snapshot(r.now).Views()[0]; v.Muted != by || v.Standing != by {
		t.Errorf("%+v", v)
	}
	by = "silenced by 2"
	r.want(r.run(c, well, oks("a")), "a:Ok")
	if len(r.p.muted)+len(*fires) != 0 {
		t.Errorf("%d muted, fires %v", len(r.p.muted), *fires)
	}
}

// TestConsequencesWaitForANewResult: what was bad while the host was down says nothing once it is up.
func TestConsequencesWaitForANewResult(t *testing.T) {
	t.Parallel()
	by := "inhibited while ping fires"
	r := newRig(t)
	r.p.MuteWith(Muter{By: func(string, pipeline.Labels, time.Time) string { return by }, Fresh: true})
	c := check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.want(r.run(c, well, bads("web"), bads("mail")), "")
	by = ""
	r.want(r.unmute(), "")
	r.want(r.run(c, well, oks("web"), bads("mail")), "mail:Warning")
	if len(r.p.muted) != 0 {
		t.Errorf("%d are muted", len(r.p.muted))
	}
}

// TestWhoCannotJudgeEndsNoSilence: the alert stays silenced, and what was bad is told when that ends.
func TestWhoCannotJudgeEndsNoSilence(t *testing.T) {
	t.Parallel()
	by := "silenced by 1"
	r, c, _ := mutedRig(t, &by)
	r.want(r.run(c, well, bads("a")), "")
	r.want(r.run(c, well, finding{"a", pipeline.Unknown, ""}), "")
	by = ""
	r.want(r.unmute(), "a:Warning")
}

func TestAnAckEndsTheRepeatsOfOneEpisode(t *testing.T) {
	t.Parallel()
	by := ""
	r, c, _ := mutedRig(t, &by)
	c.Policy.RepeatInterval = 0
	ack := func(asked string) (View, string) {
		b := &pipeline.Batch{Now: r.now}
		v, err := r.p.Ack(b, asked, "acknowledged by me")
		r.process(b)
		if err != nil {
			return v, err.Error()
		}
		return v, ""
	}
	r.want(r.run(c, well, bads("abc"), bads("abd")), "abc:Warning abd:Warning")
	if _, err := ack("ab"); !strings.Contains(err, `2 open alerts are called "ab"; say which by its key: abc (abc), abd (abd)`) {
		t.Error(err)
	}
	if _, err := ack("x"); !strings.Contains(err, "no open alert") {
		t.Error(err)
	}
	if v, err := ack("abc"); err != "" || !strings.Contains(v.Standing, "acknowledged by me; no repeats") {
		t.Errorf("%+v %s", v, err)
	}
	if _, err := ack("abc"); !strings.Contains(err, "it is acknowledged by me; take that back first") {
		t.Error(err)
	}
	r.want(r.run(c, well, bads("abc"), bads("abd")), "abd:Warning")
	again := newRig(t) // after a restart, too
	again.now, again.p.configured = r.now, r.p.configured
	again.p.Restore(r.saved())
	again.want(again.run(c, well, bads("abc"), bads("abd")), "abd:Warning")
	if v, err := again.p.Unack(&pipeline.Batch{Now: again.now}, "abc"); err != nil || v.Acked != "" {
		t.Errorf("%+v %v", v, err)
	}
	again.want(again.run(c, well, bads("abc"), bads("abd")), "abc:Warning abd:Warning")
	r.want(r.run(c, well, finding{"abc", pipeline.Critical, ""}, bads("abd")), "abc:Critical abd:Warning")
	r.want(r.run(c, well, oks("abc"), bads("abd")), "abc:Ok abd:Warning")
	r.want(r.run(c, well, bads("abc")), "abc:Warning abd:Ok")
	r.want(r.run(c, well, bads("abc")), "abc:Warning")
	c.Policy.ForDuration = config.Duration(time.Hour)
	r.run(c, well, bads("abc"), bads("new"))
	if _, err := ack("new"); !strings.Contains(err, "pending") {
		t.Error(err)
	}
}
