package pipetest

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"catpaw/pipeline"
)

// told is the i-th event of what all benchmarks tell, so that their figures can be set beside each other.
func told(i, alerts int) pipeline.Event {
	return pipeline.Event{
		Status:      pipeline.Warning,
		Labels:      pipeline.L("check", "disk usage", "mount", fmt.Sprint("/data/", i%alerts)),
		Description: fmt.Sprintf("%d %% used of a disk that ought to hold the data of customer %d", i%100, i),
	}
}

// BurstFile writes what a script prints that has so many events to tell, of so many alerts.
func BurstFile(t testing.TB, path string, events, alerts int) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	for i := range events {
		e := told(i, alerts)
		w.WriteString("[,"[min(i, 1) : min(i, 1)+1])
		fmt.Fprintf(w, `{"event_status":%q,"labels":{"check":%q,"mount":%q},"description":%q}`,
			e.Status, e.Labels.Get("check"), e.Labels.Get("mount"), e.Description)
	}
	w.WriteString("]")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// BurstMessage is one of these events as an output gets it.
func BurstMessage() *pipeline.Message {
	e := told(1234, 10_000)
	e.Labels = append(e.Labels, pipeline.Label{Key: "from_plugin", Value: "exec"})
	e.Labels.Sort()
	return Message(e)
}
