package migrate

import (
	"maps"
	"slices"

	"catpaw/internal/config"
)

// main translates config.toml: all but notify.* is called the same.
func (t *translator) main(n *config.Node) map[string]any {
	out := map[string]any{}
	for _, section := range slices.Sorted(maps.Keys(n.Table())) {
		child := n.Get(section)
		switch section {
		case "global", "flashduty", "heartbeat", "status", "processors":
			out[section] = plain(child)
		case "outputs":
			t.outputs(child, out)
		case "log":
			t.log(child, out)
		case "notify":
			t.notify(child, out)
		default:
			t.note(child, "[%s] has no counterpart and is left out", section)
		}
	}
	return out
}

func (t *translator) log(n *config.Node, out map[string]any) {
	made := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(n.Table())) {
		if slices.Contains([]string{"level", "output", "format"}, key) {
			made[key] = plain(n.Get(key))
			continue
		}
		t.note(n.Get(key), "log.%s has no counterpart and is left out", key)
	}
	out["log"] = made
}

// sink says what a [notify.X] becomes.
type sink struct {
	output       string            // the kind here
	always       map[string]any    // options that it has in any case
	moved        map[string]string // names there → here; "" = needed no longer
	offByDefault bool              // without enabled = true
}

var sinks = map[string]sink{
	"flashduty": {output: "flashduty", moved: map[string]string{"integration_key": "integration_key", "base_url": "url", "timeout": "timeout", "max_retries": ""}},
	"console":   {output: "stdout", always: map[string]any{"format": "text"}, offByDefault: true},
	"webapi": {output: "webhook", always: map[string]any{"name": "webapi"},
		moved: map[string]string{"url": "url", "method": "method", "headers": "headers", "timeout": "timeout", "max_retries": ""}},
	"pagerduty": {output: "webhook", always: map[string]any{"name": "pagerduty", "format": "pagerduty"},
		moved: map[string]string{"routing_key": "routing_key", "base_url": "url", "timeout": "timeout", "max_retries": ""}},
}

func (t *translator) notify(n *config.Node, out map[string]any) {
	outputs := map[string][]any{}
	for _, kind := range slices.Sorted(maps.Keys(n.Table())) {
		child := n.Get(kind)
		s, known := sinks[kind]
		if !known {
			t.note(child, "[notify.%s] has no counterpart and is left out", kind)
			continue
		}
		enabled := child.Get("enabled")
		if enabled != nil && enabled.Value == false || enabled == nil && s.offByDefault {
			continue
		}
		if headers := child.Get("headers"); headers != nil && t.later {
			t.variables(headers, nil)
		}
		made := maps.Clone(s.always)
		if made == nil {
			made = map[string]any{}
		}
		for _, key := range slices.Sorted(maps.Keys(child.Table())) {
			to, known := s.moved[key]
			switch {
			case key == "enabled" || known && to == "": // what fails is tried again for ever
			case known:
				made[to] = plain(child.Get(key))
			default:
				t.note(child.Get(key), "notify.%s.%s has no counterpart and is left out", kind, key)
			}
		}
		outputs[s.output] = append(outputs[s.output], made)
	}
	if len(outputs) > 0 {
		out["outputs"] = outputs
	}
}

// outputs are ours already; the original has none.
func (t *translator) outputs(n *config.Node, out map[string]any) {
	if out["outputs"] != nil {
		t.note(n, "[[outputs]] beside [notify] is left out")
		return
	}
	out["outputs"] = plain(n)
}
