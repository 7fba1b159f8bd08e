package exec

import (
	"reflect"
	"testing"

	"catpaw/internal/intern"
)

// FuzzPlain holds that the short cut decodes as the long way does, or not at all.
func FuzzPlain(f *testing.F) {
	for _, text := range []string{
		`{"event_status":"Warning","labels":{"check":"c","a":"b"},"description":"x\ny \"z\" \\ \/ \t\r é"}`,
		`{"event_status":"ok","labels":{"check":"c"}}`, ` { "labels" : { "b" : "" , "a" : "1" } , "event_status" : "Info", "title_rule": "$a" } `,
		`{"labels":{"a":"1","a":"2"},"event_status":"Info"}`, `{"labels":{},"event_status":"Info"}`, `{"labels":{"a":1},"event_status":"Info"}`,
		`{"event_status":"Info","event_status":"Ok","labels":{"a":"b"}}`, `{"event_status":"","event_status":"Ok","labels":{"a":"b"}}`,
		`{"event_status":"Info","labels":{"a":"\u0041"}}`, `{"event_status":"Info","labels":{"a":"b"},}`, `{"event_status":"Info","labels":{"a":"b"}} x`,
		"{\"event_status\":\"Info\",\"labels\":{\"a\":\"\xff\"}}", "{\"event_status\":\"Info\",\"labels\":{\"a\":\"\n\"}}", `{"event_time":1734339605,"event_status":"Info","labels":{"a":"b"}}`, `{"event_time":01,"event_status":"Info","labels":{"a":"b"}}`, `{"event_time":0,"event_time":7,"event_status":"Info","labels":{"a":"b"}}`,
		`{"event_time":1.5,"event_status":"Info","labels":{"a":"b"}}`, `{}`, ``, `{"`, `{"event_status":"Info","labels":null}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		short, ok := decodePlain(data, make(intern.Table, 4))
		if !ok {
			return
		}
		long, err := decodeStrict(data)
		if err != nil || !reflect.DeepEqual(short, long) {
			t.Errorf("%q: %+v, the long way %+v, %v", data, short, long, err)
		}
	})
}
