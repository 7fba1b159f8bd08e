package journaltail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is the time at which the tests begin.
var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// world is a probe with a clock and a memory, both in the hands of the test.
type world struct {
	*pipetest.Memory
	*Probe
	options string
	clock   time.Time
}

// newWorld makes a probe from options, with check and filter_include = ["*bad*"] where they do not say otherwise.
func newWorld(t testing.TB, format string, args ...any) *world {
	t.Helper()
	w := &world{options: "check = 'c'\n" + fmt.Sprintf(format, args...), clock: start}
	if !strings.Contains(w.options, "filter_") {
		w.options += "\nfilter_include = ['*bad*']"
	}
	w.Memory = pipetest.NewMemory(w.newProbe(t))
	return w
}

func (w *world) newProbe(t testing.TB) *Probe {
	p := New()
	p.goos, p.zone, p.now = "linux", time.UTC, func() time.Time { return w.clock }
	pipetest.Options(t, w.options, p)
	w.Probe = p
	return p
}

// restart is a restart of the agent.
func (w *world) restart(t testing.TB) { w.Restart(w.newProbe(t)) }

// look runs the probe and returns its one event.
func (w *world) look(t testing.TB) *pipeline.Event {
	t.Helper()
	events := w.Memory.Gather(t)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	return events[0]
}

// wantLines runs the probe and wants so many lines to have matched in this run, and the status.
func (w *world) wantLines(t testing.TB, matched int, status pipeline.Status) *pipeline.Event {
	t.Helper()
	e := w.look(t)
	if got := attr(e, "lines_matched"); got != int64(matched) || e.Status != status {
		t.Fatalf("%v lines matched and the status is %s, but %d and %s were due:\n%s", got, e.Status, matched, status, e.Description)
	}
	return e
}

func attr(e *pipeline.Event, key string) any {
	for _, a := range e.Attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

func wantText(t testing.TB, text string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(text, piece) {
			t.Errorf("this does not say %q:\n%s", piece, text)
		}
	}
}
