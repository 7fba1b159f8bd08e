package alerting

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"catpaw/pipeline"
	"catpaw/store"
)

// stored is how an alert is kept: JSON, so that fields can come and go, with what is zero left out, since
// a burst of alerts rewrites the pages that they are on. Times are unix nanoseconds.
type stored struct {
	Key       string            `json:"key"`
	Check     string            `json:"check"`
	Source    string            `json:"source"`
	Labels    map[string]string `json:"labels"`
	Title     string            `json:"title"`
	Phase     Phase             `json:"phase"`
	Severity  pipeline.Status   `json:"severity"`
	Told      pipeline.Status   `json:"told"`
	Worst     pipeline.Status   `json:"worst"`
	FirstFire int64             `json:"first"`
	BadFor    time.Duration     `json:"bad_for"`
	Bad       int               `json:"bad"`
	Good      int               `json:"good"`
	Count     int               `json:"count"`
	Sent      int               `json:"sent"`
	Flaps     int               `json:"flaps"`
	LastSent  int64             `json:"last_sent"`
	Ended     int64             `json:"ended"`
}

// encode writes what decode reads. By hand: encoding/json takes 2.1 µs for it, this 0.5 µs, and in a burst
// every event pays for it.
func (p *Processor) encode(e *entry) store.State {
	b := append(p.buffer[:0], `{"key":`...)
	b = pipeline.AppendString(b, e.key)
	for _, text := range [...]struct{ name, value string }{{"check", e.Owner}, {"source", e.Source}, {"title", e.TitleRule}} {
		if text.value != "" {
			b = append(append(append(b, `,"`...), text.name...), `":`...)
			b = pipeline.AppendString(b, text.value)
		}
	}
	b = append(b, `,"labels":`...)
	b = pipeline.AppendLabels(b, e.Labels)
	for _, number := range [...]struct {
		name  string
		value int64
	}{
		{"phase", int64(e.Phase)}, {"severity", int64(e.Severity)}, {"told", int64(e.Told)}, {"worst", int64(e.Worst)},
		{"first", e.FirstFire}, {"bad_for", int64(e.BadFor)}, {"bad", int64(e.Bad)}, {"good", int64(e.Good)},
		{"count", int64(e.Count)}, {"sent", int64(e.Sent)}, {"flaps", int64(e.Flaps)},
		{"last_sent", nanoseconds(e.LastSent)}, {"ended", nanoseconds(e.Ended)},
	} {
		if number.value != 0 {
			b = append(append(append(b, `,"`...), number.name...), `":`...)
			b = strconv.AppendInt(b, number.value, 10)
		}
	}
	p.buffer = append(b, '}')
	return store.State{Key: e.stateKey(), Data: bytes.Clone(p.buffer)}
}

// stateKey is under what the alert is kept. It rises from alert to alert, so that those of one burst lie
// on the same pages of the store: under their alert keys, which are random, each would have its own,
// and 100,000 of them would take three times as long.
func (e *entry) stateKey() string { return string(binary.BigEndian.AppendUint64(nil, e.id)) }

func decode(state store.State) (*entry, error) {
	var s stored
	if err := json.Unmarshal(state.Data, &s); err != nil {
		return nil, err
	}
	if len(state.Key) != 8 {
		return nil, errors.New("it is kept under a strange key")
	}
	return &entry{
		key: s.Key, id: binary.BigEndian.Uint64([]byte(state.Key)), stale: true, Owner: s.Check, Source: s.Source, Labels: pipeline.LabelsOf(s.Labels), TitleRule: s.Title,
		Alert: Alert{
			Phase: s.Phase, Severity: s.Severity, Told: s.Told, Worst: s.Worst, FirstFire: s.FirstFire, BadFor: s.BadFor,
			Bad: s.Bad, Good: s.Good, Count: s.Count, Sent: s.Sent, Flaps: s.Flaps,
			LastSent: moment(s.LastSent), Ended: moment(s.Ended), // not LastSeen: nobody looked since
		},
	}, nil
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(unixNano int64) time.Time {
	if unixNano == 0 {
		return time.Time{}
	}
	return time.Unix(0, unixNano)
}
