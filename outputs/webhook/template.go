package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	template "github.com/DataDog/datadog-agent/pkg/template/text"

	"catpaw/internal/config"
	"catpaw/internal/templates"
	"catpaw/pipeline"
)

// bodyTemplate is a text/template that cannot make broken JSON of an event: like html/template, it
// escapes whatever an action prints (see escape.go), unless {{json …}} or {{raw …}} says otherwise.
type bodyTemplate struct {
	template *template.Template
	json     bool
}

// data is what a template sees of an event.
type data struct {
	ID            string
	Status        string
	AlertKey      string
	Labels        map[string]string // a label that is not there is ""
	Title         string
	TitleRule     string
	Description   string
	Text          string // the description without its mark "[MD]"
	Time          int64  // unix seconds
	FirstFireTime int64
	NotifyCount   int
	Attrs         map[string]any
}

func dataOf(e *pipeline.Event) data {
	d := data{
		ID: e.ID, Status: e.Status.String(), AlertKey: e.AlertKey, Labels: make(map[string]string, len(e.Labels)),
		Title: e.Title(), TitleRule: e.TitleRule, Description: e.Description,
		Text: strings.TrimSpace(strings.TrimPrefix(e.Description, "[MD]")),
		Time: e.Time, FirstFireTime: e.FirstFireTime, NotifyCount: e.NotifyCount, Attrs: make(map[string]any, len(e.Attrs)),
	}
	for _, label := range e.Labels {
		d.Labels[label.Key] = label.Value
	}
	for _, attr := range e.Attrs {
		d.Attrs[attr.Key] = attr.Value
	}
	return d
}

func functions() template.FuncMap {
	return template.FuncMap{
		"json":       jsonOf,
		"raw":        func(v any) any { return v },
		escapeName:   escape,
		plainName:    plain,
		"date":       func(layout string, unix int64) string { return time.Unix(unix, 0).Format(layout) },
		"cut":        cut,
		"lower":      strings.ToLower,
		"upper":      strings.ToUpper,
		"replace":    func(old, new, text string) string { return strings.ReplaceAll(text, old, new) },
		"trimPrefix": func(prefix, text string) string { return strings.TrimPrefix(text, prefix) },
	}
}

// cut shortens to so many bytes, at a whole character: {{cut 4096 .Text}}.
func cut(most int, text string) string {
	if len(text) <= max(0, most) {
		return text
	}
	return strings.ToValidUTF8(text[:max(0, most)], "")
}

// parseBody reads the template and tries it on samples, so that a slip shows at start and not at the
// first alert. The error is a config.FieldError.
func parseBody(text string, isJSON bool) (*bodyTemplate, error) {
	parsed, err := template.New("body").Option("missingkey=zero").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, config.Field("body", "%s", templates.Fault(err, "body", data{}))
	}
	if isJSON {
		printThrough(parsed, escapeName)
	} else {
		printThrough(parsed, plainName)
	}
	t := &bodyTemplate{parsed, isJSON}
	for _, sample := range samples() {
		if _, err := t.render(sample, false); err != nil {
			return nil, config.Field("body", "%v%s", err, advice(err))
		}
	}
	return t, nil
}

// render makes the body of one event; line asks for JSON without line breaks.
func (t *bodyTemplate) render(e *pipeline.Event, line bool) ([]byte, error) {
	var b bytes.Buffer
	if err := t.template.Execute(&b, dataOf(e)); err != nil {
		return nil, errors.New(templates.Fault(err, "body", data{}))
	}
	if !t.json {
		return b.Bytes(), nil
	}
	var compact bytes.Buffer
	if json.Compact(&compact, b.Bytes()) != nil {
		return nil, newJSONError(b.Bytes())
	}
	if line {
		return compact.Bytes(), nil
	}
	return b.Bytes(), nil
}

// jsonError says that the template made something that is no JSON. Its text shows nothing of it, since
// it holds the event and may go to the log.
type jsonError struct {
	line  int    // of what was made
	shown string // that line
	cause error
}

func (e *jsonError) Error() string {
	return fmt.Sprintf("the template does not make JSON: line %d: %v", e.line, e.cause)
}

func newJSONError(made []byte) error {
	var value any
	err := json.Unmarshal(made, &value) // unlike Compact it says where
	at := len(made)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(at, max(0, int(syntax.Offset)-1))
	}
	line := bytes.Count(made[:at], []byte("\n"))
	return &jsonError{line + 1, strings.TrimSpace(strings.Split(string(made), "\n")[line]), err}
}

// advice shows the line that a sample gave, which holds nobody's data, and what to write instead.
func advice(err error) string {
	var fault *jsonError
	if !errors.As(err, &fault) {
		return ""
	}
	return fmt.Sprintf(`, where a made-up event gives %q. Write texts as "{{.Title}}", anything else as {{json .Labels}}`, cut(120, fault.shown))
}

// samples are events to try a template on: one with everything that could break JSON, and a bare one.
func samples() []*pipeline.Event {
	const nasty = "[MD]\n- **line**: \"quoted\" \\ back\tslash é 😀 \x01 <b>&"
	return []*pipeline.Event{
		{
			ID: "0193c0ffee00000000000000000000ff", Status: pipeline.Critical, AlertKey: "4f1b21a435253bf868a1249d3ba7715f",
			Labels: pipeline.L("check", nasty, "from_hostname", nasty, "target", nasty), TitleRule: "$check",
			Description: nasty, Time: 1734339605, FirstFireTime: 1734339000, NotifyCount: 2,
			Attrs: []pipeline.Attr{{Key: "total_seconds", Value: 0.25}, {Key: "text", Value: nasty}},
		},
		{ID: "0193c0ffee00000000000000000000ff", Status: pipeline.Ok, TitleRule: "$check"},
	}
}
