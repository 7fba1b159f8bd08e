package inhibit

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func rules(t *testing.T, options ...string) (all []*Rule) {
	t.Helper()
	for _, text := range options {
		r := NewRule()
		pipetest.Options(t, text, r)
		all = append(all, r)
	}
	return all
}

func nothing(func(string, pipeline.Labels)) {}

func TestConsequencesAreMutedWhileTheSourceFires(t *testing.T) {
	t.Parallel()
	i := New()
	i.Use(rules(t, "source.check = 'ping*'\ntarget.from_plugin = ['http', 'net']\nequal = ['host']"), nothing)
	host := pipeline.L("check", "ping failed", "host", "a", "from_plugin", "ping", "target", "10.0.0.1")
	service := pipeline.L("check", "http failed", "host", "a", "from_plugin", "http")
	elsewhere := pipeline.L("check", "http failed", "host", "b", "from_plugin", "http")
	other := pipeline.L("check", "disk", "host", "a", "from_plugin", "exec")
	muted := func(labels pipeline.Labels) string { return i.Mutes("asked", labels, time.Time{}) }
	if got := muted(service); got != "" {
		t.Errorf("muted though nothing fires: %s", got)
	}
	i.Firing("k2", host, true)
	i.Firing("k1", host, true)
	if got := muted(service); got != "inhibited while ping failed 10.0.0.1 fires" {
		t.Error(got)
	}
	for _, labels := range []pipeline.Labels{elsewhere, other, host} {
		if got := muted(labels); got != "" {
			t.Errorf("%v is muted: %s", labels, got)
		}
	}
	i.Firing("k2", host, false)
	if muted(service) == "" {
		t.Error("one of two sources fires still")
	}
	i.Firing("k1", host, false)
	i.Firing("k1", host, false)
	if got := muted(service); got != "" || len(i.rules[0].firing) != 0 {
		t.Errorf("muted though all is over: %s", got)
	}
}

func TestRulesSeeWhatFiredBeforeThem(t *testing.T) {
	t.Parallel()
	i := New()
	i.Use(rules(t, "source.check = 'a'\ntarget.check = '*'"), func(do func(string, pipeline.Labels)) { do("k", pipeline.L("check", "a")) })
	if i.Mutes("asked", pipeline.L("check", "b"), time.Time{}) == "" {
		t.Error("what fires already is not seen")
	}
	if got := i.Mutes("asked", pipeline.L("check", "a"), time.Time{}); got != "" {
		t.Errorf("an alert is a consequence of itself: %s", got)
	}
}

// TestOfTwoThatInhibitEachOtherOneIsTold, and chains stay quiet.
func TestOfTwoThatInhibitEachOtherOneIsTold(t *testing.T) {
	t.Parallel()
	labels := func(check string) pipeline.Labels { return pipeline.L("check", check) }
	for _, c := range []struct {
		name    string
		rules   []string
		silence string // whom nothing is told of
	}{
		{"two", []string{"source.check = 'a'\ntarget.check = 'b'", "source.check = 'b'\ntarget.check = 'a'"}, "a"},
		{"three in a ring", []string{"source.check = 'a'\ntarget.check = 'b'", "source.check = 'b'\ntarget.check = 'c'", "source.check = 'c'\ntarget.check = 'a'"}, "ab"},
		{"a chain", []string{"source.check = 'a'\ntarget.check = 'b'", "source.check = 'b'\ntarget.check = 'c'"}, "bc"},
	} {
		i := New()
		i.Use(rules(t, c.rules...), nothing)
		for _, key := range []string{"a", "b", "c"} {
			i.Firing(key, labels(key), true)
		}
		for range 2 {
			silent := ""
			for _, key := range []string{"a", "b", "c"} {
				if i.Mutes(key, labels(key), time.Time{}) != "" {
					silent += key
				}
			}
			if silent != c.silence {
				t.Errorf("%s: silent are %q, want %q", c.name, silent, c.silence)
			}
		}
		i.Firing("a", labels("a"), false)
		if i.Mutes("b", labels("b"), time.Time{}) != "" {
			t.Errorf("%s: b waits for what is over", c.name)
		}
	}
}

func TestWrongRules(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		"target.check = 'b'":                            "source: say which alerts",
		"source.check = 'a'":                            "target: say which alerts",
		"source.check = '['\ntarget.check = 'b'":        "source.check",
		"source.check = 'a'\ntarget.check = []":         "target.check: it has no pattern",
		"source.check = 'a'\ntarget.check = 'b'\nx = 1": `unknown option "x"`,
	} {
		pipetest.WantError(t, pipetest.TryOptions(options, NewRule()), want)
	}
}
