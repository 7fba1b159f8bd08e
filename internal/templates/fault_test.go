package templates

import (
	"io"
	"testing"

	template "github.com/DataDog/datadog-agent/pkg/template/text"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	type seen struct {
		Title  string
		Labels map[string]string
	}
	for text, want := range map[string]string{
		"{{.Titel}}":           `line 1 of the template: .Titel is not there; did you mean ".Title"? Known: .Title, .Labels.NAME`,
		"\n{{.Title":           "line 2 of the template: unclosed action (is there a }} for each {{?)",
		"{{.Labels.my-label}}": `line 1 of the template: bad character U+002D '-' (a name with other signs is {{index .Labels "my-label"}})`,
	} {
		parsed, err := template.New("body").Parse(text)
		if err == nil {
			err = parsed.Execute(io.Discard, seen{})
		}
		if err == nil {
			t.Fatalf("%q is good", text)
		}
		if got := Fault(err, "body", seen{}); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", text, got, want)
		}
	}
}
