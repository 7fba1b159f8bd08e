package flashduty

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
	hostile.Suite{ReadsAnswer: true, New: func(t testing.TB, options string) pipeline.Output {
		o := New()
		pipetest.Options(t, options, o)
		return o
	}}.Run(t)
}
