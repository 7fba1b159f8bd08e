package kafkatest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/outputs/kafka"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	stopShared()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const enough = 30 * time.Second // for what should be quick, on a busy machine

// open makes the output from its options, lines of TOML.
func open(t testing.TB, options ...string) *kafka.Output {
	t.Helper()
	o := kafka.New()
	pipetest.Options(t, strings.Join(options, "\n"), o)
	t.Cleanup(func() { o.Close() })
	return o
}

// event is the n-th event of an alert.
func event(key string, n int, description string) *pipeline.Message {
	return pipetest.Message(pipeline.Event{ID: fmt.Sprintf("%s-%08d", key, n), AlertKey: key, NotifyCount: n, Description: description})
}

// round is the n-th event of so many alerts.
func round(alerts, n int) (batch []*pipeline.Message) {
	for i := range alerts {
		batch = append(batch, event(fmt.Sprintf("key%d", i), n, "so it is"))
	}
	return batch
}

func try(t testing.TB, o *kafka.Output, batch []*pipeline.Message, timeout time.Duration) []error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	verdicts := o.Write(ctx, batch)
	if verdicts == nil {
		verdicts = make([]error, len(batch))
	}
	return verdicts
}

func send(t testing.TB, o *kafka.Output, batch []*pipeline.Message) {
	t.Helper()
	for i, err := range try(t, o, batch, enough) {
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

// insist sends a batch as the sender does: what is to be tried again is, until nothing is left. It returns
// how many verdicts that took.
func insist(t testing.TB, o *kafka.Output, batch []*pipeline.Message) (failures int) {
	t.Helper()
	for deadline := time.Now().Add(enough); len(batch) > 0; {
		var left []*pipeline.Message
		var last error
		for i, err := range try(t, o, batch, 2*time.Second) {
			if pipeline.IsRefused(err) {
				t.Fatalf("refused for good: %v", err)
			}
			if err != nil {
				left, last = append(left, batch[i]), err
			}
		}
		if failures += len(left); time.Now().After(deadline) {
			t.Fatalf("%d events are still not taken: %v", len(left), last)
		}
		batch = left
	}
	return failures
}

func wantAgain(t testing.TB, verdicts []error, pieces ...string) {
	t.Helper()
	for _, err := range verdicts {
		pipetest.WantError(t, err, pieces...)
		if pipeline.IsRefused(err) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q", err)
		}
	}
}

// record is one that an independent client reads.
type record struct {
	topic     string
	partition int
	key       string
	value     string
	headers   map[string]string
}

// judge fails the test unless every event of every alert is there, in order when second copies are left
// out. It returns the second copies.
func judge(t testing.TB, records []record, alerts, rounds int) (twice int) {
	t.Helper()
	seen, next := map[string]bool{}, map[string]int{}
	home := map[string]int{}
	for _, r := range records {
		id := r.headers["Catpaw-Id"]
		if at, known := home[r.key]; known && at != r.partition {
			t.Fatalf("%s is in the partitions %d and %d", r.key, at, r.partition)
		}
		home[r.key] = r.partition
		if seen[id] {
			twice++
			continue
		}
		seen[id] = true
		if want := strings.TrimSpace(event(r.key, next[r.key], "").ID()); strings.TrimSpace(id) != want {
			t.Fatalf("%s comes where %s is due", id, want)
		}
		next[r.key]++
	}
	if len(seen) != alerts*rounds {
		t.Fatalf("%d events are there, want %d", len(seen), alerts*rounds)
	}
	return twice
}
