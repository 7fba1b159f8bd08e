package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"catpaw/internal/intern"
	"catpaw/internal/printable"
	"catpaw/pipeline"

	"github.com/tailscale/hujson"
)

// excerptLength is how many bytes of broken output are shown.
const excerptLength = 200

// wireEvent is an event as a script prints it. Unknown fields, alert_key among them, are ignored.
type wireEvent[L any] struct {
	Time        float64        `json:"event_time"`
	Status      string         `json:"event_status"`
	Labels      L              `json:"labels"`
	TitleRule   string         `json:"title_rule"`
	Description string         `json:"description"`
	Attrs       map[string]any `json:"attrs"`
}

// decodeEvent decodes one element. JSON with comments or commas too many is taken as well; ok is false
// for null, which stands for nothing.
func decodeEvent(data []byte, texts intern.Table) (event pipeline.Event, ok bool, err error) {
	if string(data) == "null" {
		return event, false, nil
	}
	if event, ok = decodePlain(data, texts); ok {
		return event, true, nil
	}
	if event, err = decodeStrict(data); err != nil {
		event, err = decodeTolerant(data, err)
	}
	return event, err == nil, err
}

func decodeTolerant(data []byte, err error) (pipeline.Event, error) {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return pipeline.Event{}, err
	}
	standard, err := hujson.Standardize(bytes.Clone(data))
	if err != nil {
		return pipeline.Event{}, fmt.Errorf("it is not JSON (%v): %s", syntax, quote(data))
	}
	return decodeStrict(standard)
}

func decodeStrict(data []byte) (pipeline.Event, error) {
	var wire wireEvent[map[string]string]
	if err := json.Unmarshal(data, &wire); err != nil {
		if err = decodeLoose(data, &wire, err); err != nil {
			return pipeline.Event{}, err
		}
	}
	return makeEvent(&wire)
}

// decodeLoose decodes an event again in which some label is not a string. That is rare, so only such
// events are decoded twice. Where something else was wrong, it says what.
func decodeLoose(data []byte, wire *wireEvent[map[string]string], err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && strings.HasPrefix(wrong.Field, "labels") {
		var loose wireEvent[map[string]json.RawMessage]
		if err = json.Unmarshal(data, &loose); err == nil {
			wire.Labels, err = labelTexts(loose.Labels)
		}
	}
	if errors.As(err, &wrong) {
		return typeError(wrong)
	}
	return err
}

func typeError(wrong *json.UnmarshalTypeError) error {
	if wrong.Field == "" {
		return fmt.Errorf("expected an object, not %s", wrong.Value)
	}
	want := map[string]string{"event_time": "a number of seconds", "labels": "an object", "attrs": "an object"}[wrong.Field]
	if want == "" {
		want = "a string"
	}
	return fmt.Errorf("%s: expected %s, not %s", wrong.Field, want, wrong.Value)
}

// labelTexts takes numbers and booleans as they are written.
func labelTexts(raw map[string]json.RawMessage) (map[string]string, error) {
	labels := make(map[string]string, len(raw))
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		var text string
		switch value := raw[key]; value[0] {
		case '{', '[':
			return nil, fmt.Errorf("labels.%s: a label must be text, a number or true or false", key)
		case '"', 'n':
			if err := json.Unmarshal(value, &text); err != nil {
				return nil, err
			}
		default:
			text = string(value)
		}
		labels[key] = text
	}
	return labels, nil
}

// maxTime is the last event_time taken: beyond it the clock must have counted milliseconds.
const maxTime = 1e11

func makeEvent(wire *wireEvent[map[string]string]) (pipeline.Event, error) {
	event := pipeline.Event{Time: int64(wire.Time), TitleRule: wire.TitleRule, Description: wire.Description}
	if wire.Time < 0 || wire.Time > maxTime {
		return event, fmt.Errorf("event_time %s is not in seconds since 1970", strconv.FormatFloat(wire.Time, 'f', -1, 64))
	}
	if wire.Status == "" {
		return event, errors.New("event_status is missing: give Critical, Warning, Info or Ok")
	}
	var err error
	if event.Status, err = pipeline.ParseStatus(wire.Status); err != nil {
		return event, fmt.Errorf("event_status: %w", err)
	}
	if len(wire.Labels) == 0 {
		return event, errors.New(`labels are missing: give at least {"check": "…"}`)
	}
	event.Labels = make(pipeline.Labels, 0, len(wire.Labels))
	for key, value := range wire.Labels {
		event.Labels = append(event.Labels, pipeline.Label{Key: key, Value: value})
	}
	event.Labels.Sort()
	event.Attrs, err = attrsOf(wire.Attrs)
	return event, err
}

func attrsOf(values map[string]any) ([]pipeline.Attr, error) {
	if len(values) == 0 {
		return nil, nil
	}
	attrs := make([]pipeline.Attr, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		switch value := values[key].(type) {
		case string, bool, float64:
			attrs = append(attrs, pipeline.Attr{Key: key, Value: value})
		case nil:
		default:
			return nil, fmt.Errorf("attrs.%s: a measured value must be a number, text, or true or false", key)
		}
	}
	return attrs, nil
}

// quote shows a piece of output on one line.
func quote(data []byte) string {
	text := strings.ToValidUTF8(string(data[:min(len(data), 2*excerptLength)]), "\uFFFD")
	return strconv.Quote(printable.Cut(text, excerptLength))
}
