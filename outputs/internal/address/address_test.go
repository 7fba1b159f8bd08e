package address

import (
	"errors"
	"strings"
	"testing"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

var dotted = Rules{
	Value: func(text string) string {
		return strings.Map(func(r rune) rune { return map[bool]rune{true: '_', false: r}[r == '.'] }, text)
	},
	Judge: func(text string) error {
		if strings.Contains(text, "..") || strings.ContainsAny(text, "* \t") || text == "" {
			return errors.New("it is no subject")
		}
		return nil
	},
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	m := pipetest.Message(pipeline.Event{Status: pipeline.Critical, AlertKey: "k", Labels: pipeline.L("check", "a.b", "from_plugin", "net", "weird", "x y")})
	for _, c := range []struct{ name, template, want string }{
		{"without braces it is the address", "catpaw.events", "catpaw.events"},
		{"status, plugin and key", "c.{{.Status}}.{{.Plugin}}.{{.AlertKey}}", "c.Critical.net.k"},
		{"a label's value is made safe", "c.{{.Labels.check}}", "c.a_b"},
		{"functions help", "c.{{lower .Status}}", "c.critical"},
		{"a label that is not there leaves no hole", "c.{{.Labels.region}}.x", "c.none.x"},
		{"nor where a function takes it", "c.{{upper .Labels.region}}", "c.NONE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			parsed, err := Parse(c.template, dotted)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Of(m); got != c.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
	spoilt, err := Parse("c.{{.Labels.weird}}", dotted)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spoilt.Of(m); err == nil || !strings.Contains(err.Error(), `"c.x y"`) {
		t.Errorf("an address that cannot be is no error: %v", err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, template, want string }{
		{"an open brace", "c.{{.Status", "unclosed action"},
		{"a field that there is not", "c.{{.Severity}}", "Severity"},
		{"an address that cannot be", "c..x", "no subject"},
		{"an address that would never be", "c..{{.Status}}", "no subject"},
		{"none", "", "no subject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse(c.template, dotted); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
