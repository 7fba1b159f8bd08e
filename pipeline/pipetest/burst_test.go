package pipetest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestABurstIsOfTheEventsThatOutputsGet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "says")
	BurstFile(t, path, 1300, 1250)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	type event struct {
		Status      string            `json:"event_status"`
		Labels      map[string]string `json:"labels"`
		Description string            `json:"description"`
	}
	var all []event
	if err := json.Unmarshal(text, &all); err != nil || len(all) != 1300 {
		t.Fatal(len(all), err)
	}
	keys := map[string]bool{}
	for _, e := range all {
		keys[e.Labels["mount"]] = true
	}
	if len(keys) != 1250 {
		t.Errorf("%d alerts", len(keys))
	}
	var one event
	if err := json.Unmarshal(BurstMessage().JSON(), &one); err != nil {
		t.Fatal(err)
	}
	if one.Labels["from_plugin"] != "exec" {
		t.Error(one)
	}
	delete(one.Labels, "from_plugin")
	if printed := all[1234]; !maps.Equal(one.Labels, printed.Labels) || one.Status != printed.Status || one.Description != printed.Description {
		t.Errorf("%v, %v", one, printed)
	}
}
