package procnum

import (
	"strconv"
	"strings"
	"testing"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func gather(t testing.TB, table *Table, options string) *pipeline.Event {
	t.Helper()
	p := New(table)
	pipetest.Options(t, "check = 'c'\n"+options, p)
	events := pipetest.Gather(t, p)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	return events[0]
}

// look runs a probe made of TOML, which is to find at least one process unless it says otherwise.
func look(t testing.TB, options string) *pipeline.Event {
	t.Helper()
	if !strings.Contains(options, "alert_if") {
		options += "\nalert_if_num_lt = 1"
	}
	return gather(t, NewTable(), options)
}

func attr(e *pipeline.Event, key string) any {
	for _, a := range e.Attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// wantFound fails unless exactly these processes were found.
func wantFound(t testing.TB, e *pipeline.Event, pids ...int) {
	t.Helper()
	texts := make([]string, len(pids))
	for i, pid := range pids {
		texts[i] = strconv.Itoa(pid)
	}
	if want := strings.Join(texts, ", "); attr(e, "pids") != want || attr(e, "processes") != int64(len(pids)) {
		t.Errorf("found %v (%v), want %s: %s", attr(e, "pids"), attr(e, "processes"), want, e.Description)
	}
}

func want(t testing.TB, e *pipeline.Event, status pipeline.Status, pieces ...string) {
	t.Helper()
	if e.Status != status {
		t.Errorf("status %v, want %v: %s", e.Status, status, e.Description)
	}
	for _, piece := range pieces {
		if !strings.Contains(e.Description, piece) {
			t.Errorf("description does not say %q: %s", piece, e.Description)
		}
	}
}
