package webhook

import (
	"testing"

	"go.uber.org/goleak"

	"catpaw/outputs/internal/hostile"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHostileSinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more        string
		readsAnswer bool
	}{
		"one event a request": {"", false},
		"batches":             {"batch = 100\ngzip = true", false},
		"cloudevents":         {"format = 'cloudevents'", false},
		"slack":               {"format = 'slack'", false},
		"alertmanager":        {"format = 'alertmanager'", false},
		"with a success rule": {"batch = 2\nbatch_format = 'ndjson'\nsuccess.regex = '^'", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hostile.Suite{ReadsAnswer: c.readsAnswer, New: func(t testing.TB, options string) pipeline.Output {
				o := New()
				pipetest.Options(t, options+"\n"+c.more, o)
				return o
			}}.Run(t)
		})
	}
}
