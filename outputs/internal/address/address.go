// Package address makes the subject or topic of an event from a template such as
// catpaw.{{.Status}}.{{.Labels.from_plugin}}.
package address

import (
	"errors"
	"fmt"
	"strings"

	template "github.com/DataDog/datadog-agent/pkg/template/text"

	"catpaw/internal/pattern"
	"catpaw/internal/templates"
	"catpaw/pipeline"
)

// Rules are what a sink allows in an address.
type Rules struct {
	Value func(string) string // makes a value of an event safe to stand in one
	Judge func(string) error  // of the whole
}

// Template is safe for concurrent use.
type Template struct {
	rules    Rules
	fixed    string // the address, where it is the same for all
	template *template.Template
	labels   []string // that it names
}

var namedLabel = pattern.Lazy(`\.Labels\.(\w+)`)

// values is what a template sees of an event.
type values struct {
	Status   string // Critical, Warning, Info, Ok
	Plugin   string
	AlertKey string
	Labels   map[string]string
}

// Parse reads a template and tries it on samples. One without any {{ }} is the address itself.
func Parse(text string, rules Rules) (*Template, error) {
	t := &Template{rules: rules, fixed: text}
	if !strings.Contains(text, "{{") {
		return t, rules.Judge(text)
	}
	parsed, err := template.New("address").Option("missingkey=zero").Funcs(template.FuncMap{
		"lower": strings.ToLower, "upper": strings.ToUpper,
	}).Parse(text)
	if err != nil {
		return nil, errors.New(templates.Fault(err, "address", values{}))
	}
	t.template = parsed
	for _, found := range namedLabel().FindAllStringSubmatch(text, -1) {
		t.labels = append(t.labels, found[1])
	}
	for _, sample := range []*pipeline.Event{{Status: pipeline.Critical, Labels: pipeline.L("a", "b")}, {Status: pipeline.Ok}} {
		if _, err := t.render(sample); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Of returns the address of a message. An error means that there can be none for it, ever.
func (t *Template) Of(m *pipeline.Message) (string, error) {
	if t.template == nil {
		return t.fixed, nil
	}
	event, err := m.Event()
	if err != nil {
		return "", err
	}
	return t.render(event)
}

// missing stands for a label that an event does not have, since no part of an address may be empty.
const missing = "none"

func (t *Template) render(e *pipeline.Event) (string, error) {
	v := values{Status: e.Status.String(), Plugin: t.value(e.Labels.Get("from_plugin")), AlertKey: t.value(e.AlertKey), Labels: map[string]string{}}
	for _, label := range e.Labels {
		v.Labels[label.Key] = t.value(label.Value)
	}
	for _, name := range t.labels {
		if v.Labels[name] == "" {
			v.Labels[name] = missing
		}
	}
	var text strings.Builder
	if err := t.template.Execute(&text, v); err != nil {
		return "", errors.New(templates.Fault(err, "address", values{}))
	}
	if err := t.rules.Judge(text.String()); err != nil {
		return "", fmt.Errorf("it makes %q of an event: %w", text.String(), err)
	}
	return text.String(), nil
}

func (t *Template) value(text string) string {
	if text == "" {
		return missing
	}
	return t.rules.Value(text)
}
