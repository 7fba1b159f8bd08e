package alerting

import (
	"fmt"
	"time"

	"catpaw/pipeline"
)

// explain makes a notification of a result: it adds what only the life of the alert knows.
func explain(told *pipeline.Event, previous, next Alert, d Decision) {
	told.FirstFireTime, told.NotifyCount = next.FirstFire, int(next.Count)
	if d == Recover {
		told.FirstFireTime, told.NotifyCount = previous.FirstFire, int(previous.Count)
	}
	lasted := time.Duration(told.Time-told.FirstFireTime) * time.Second
	var line string
	switch {
	case d == Recover:
		line = fmt.Sprintf("it was %s, for %s, and told %s", previous.Severity, lasted, times(int(previous.Count)))
	case d == Rise:
		line = fmt.Sprintf("it got worse: %s, now %s; bad for %s", previous.Told, next.Told, lasted)
	case lasted > 0:
		line = fmt.Sprintf("open since %s, for %s", time.Unix(told.FirstFireTime, 0).Format(time.DateTime+" MST"), lasted)
	}
	if line != "" {
		told.Description = pipeline.WithLine(told.Description, "alert", line)
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
