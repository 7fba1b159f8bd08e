// Package envelope is the option format of the sinks that are not for people: an event as the JSON that
// catpaw makes of it, or as a CloudEvent (https://github.com/cloudevents/spec, version 1.0.2).
package envelope

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Format is a way to wrap an event.
type Format string

// The formats.
const (
	JSON        Format = "json"
	CloudEvents Format = "cloudevents"
)

// Check judges the option.
func (f Format) Check() error {
	known := []string{string(JSON), string(CloudEvents)}
	if slices.Contains(known, string(f)) {
		return nil
	}
	return config.Field("format", `%q is neither "json" nor "cloudevents"%s`, string(f), config.DidYouMean(string(f), known))
}

// Header is one name and value that goes beside an event.
type Header struct{ Name, Value string }

// Headers returns what goes beside an event's JSON on sinks that have headers: always its id, status and
// content type; as a CloudEvent also the context attributes, in the binary mode of the binding, whose
// names begin with prefix ("ce-" over HTTP and NATS, "ce_" in Kafka).
func (f Format) Headers(m *pipeline.Message, prefix string) ([]Header, error) {
	headers := []Header{{"Catpaw-Id", m.ID()}, {"Catpaw-Status", m.Status.String()}, {"Content-Type", "application/json"}}
	if f != CloudEvents {
		return headers, nil
	}
	attributes, err := attributesOf(m)
	if err != nil {
		return nil, err
	}
	for _, a := range attributes {
		headers = append(headers, Header{prefix + a.Name, a.Value})
	}
	return headers, nil
}

// Structured returns an event as one JSON object that holds the context attributes and, as "data", the
// event: the structured mode, content type application/cloudevents+json.
func Structured(m *pipeline.Message) ([]byte, error) {
	attributes, err := attributesOf(m)
	if err != nil {
		return nil, err
	}
	b := []byte{'{'}
	for _, a := range append(attributes, Header{"datacontenttype", "application/json"}) {
		b = append(pipeline.AppendString(b, a.Name), ':')
		b = append(pipeline.AppendString(b, a.Value), ',')
	}
	return append(append(append(b, `"data":`...), m.JSON()...), '}'), nil
}

// attributesOf makes the context attributes. source and id together are unique, as the specification
// asks; subject is the alert key, which ties the events of one alert together.
func attributesOf(m *pipeline.Message) ([]Header, error) {
	var event struct {
		Time   int64 `json:"event_time"`
		Labels struct {
			Host   string `json:"from_hostname"`
			Plugin string `json:"from_plugin"`
		} `json:"labels"`
	}
	if err := json.Unmarshal(m.JSON(), &event); err != nil {
		return nil, err
	}
	kind := "catpaw.alert.firing"
	if m.Status == pipeline.Ok {
		kind = "catpaw.alert.recovered"
	}
	return []Header{
		{"specversion", "1.0"}, {"id", m.ID()}, {"source", source(event.Labels.Host, event.Labels.Plugin)}, {"type", kind},
		{"subject", m.AlertKey}, {"time", time.Unix(event.Time, 0).UTC().Format(time.RFC3339)}, {"severity", m.Status.String()},
	}, nil
}

// source is a URI reference: who speaks, and through which probe.
func source(host, plugin string) string {
	path := url.URL{Path: "/catpaw"}
	return path.JoinPath(host, plugin).String() // without the label from_hostname it is /catpaw/exec
}
