package envelope

import (
	"encoding/json"
	"fmt"
	"testing"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func message(status pipeline.Status) *pipeline.Message {
	return pipetest.Message(pipeline.Event{Status: status, Time: 1734339605, AlertKey: "k", ID: "0193c0ffee00000000000000000000ff",
		Labels: pipeline.L("check", "c", "from_hostname", "web 1", "from_plugin", "net")})
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	plain, err := JSON.Headers(message(pipeline.Critical), "ce-")
	if got := fmt.Sprint(plain); err != nil || got != "[{Catpaw-Id 0193c0ffee00000000000000000000ff} {Catpaw-Status Critical} {Content-Type application/json}]" {
		t.Errorf("%s, %v", got, err)
	}
	cloud, err := CloudEvents.Headers(message(pipeline.Ok), "ce_")
	want := "[{ce_specversion 1.0} {ce_id 0193c0ffee00000000000000000000ff} {ce_source /catpaw/web%201/net} {ce_type catpaw.alert.recovered} {ce_subject k} {ce_time 2024-12-16T09:00:05Z} {ce_severity Ok}]"
	if got := fmt.Sprint(cloud[3:]); err != nil || got != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
}

func TestStructured(t *testing.T) {
	t.Parallel()
	m := message(pipeline.Critical)
	body, err := Structured(m)
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		SpecVersion, ID, Source, Type, Subject, Time, DataContentType string
		Data                                                          json.RawMessage
	}
	if err := json.Unmarshal(body, &event); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if event.SpecVersion != "1.0" || event.ID != m.ID() || event.Type != "catpaw.alert.firing" || event.DataContentType != "application/json" || string(event.Data) != string(m.JSON()) {
		t.Errorf("%s", body)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := Format("cloudevent").Check(); err == nil || err.Error() != `format: "cloudevent" is neither "json" nor "cloudevents"; did you mean "cloudevents"?` {
		t.Errorf("error %v", err)
	}
	if err := JSON.Check(); err != nil {
		t.Error(err)
	}
}
