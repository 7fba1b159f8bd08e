package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/produce"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func open(t testing.TB, options string) *Output {
	t.Helper()
	o := New()
	pipetest.Options(t, options, o)
	t.Cleanup(func() { o.Close() })
	return o
}

func event(i int) *pipeline.Message {
	return pipetest.Message(pipeline.Event{ID: fmt.Sprintf("%032x", i), AlertKey: fmt.Sprintf("key%d", i), Description: fmt.Sprintf("event %d.", i)})
}

func events(n int) (batch []*pipeline.Message) {
	for i := range n {
		batch = append(batch, event(i))
	}
	return batch
}

const enough = 20 * time.Second // for what should be quick, on a busy machine

func try(t testing.TB, o *Output, batch []*pipeline.Message) []error {
	t.Helper()
	return tryWithin(t, o, batch, enough)
}

func tryWithin(t testing.TB, o *Output, batch []*pipeline.Message, timeout time.Duration) []error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	verdicts := o.Write(ctx, batch)
	if verdicts == nil {
		verdicts = make([]error, len(batch))
	}
	if len(verdicts) != len(batch) {
		t.Fatalf("%d verdicts on %d events", len(verdicts), len(batch))
	}
	for _, err := range verdicts {
		if err != nil && (strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 500) {
			t.Errorf("no error for a log: %q", err)
		}
	}
	return verdicts
}

func send(t testing.TB, o *Output, batch []*pipeline.Message) {
	t.Helper()
	for i, err := range try(t, o, batch) {
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

// wantAll fails the test unless every event has the same verdict: again, and with these pieces in its text.
func wantAll(t testing.TB, verdicts []error, pieces ...string) {
	t.Helper()
	for _, err := range verdicts {
		pipetest.WantError(t, err, pieces...)
		if pipeline.IsRefused(err) {
			t.Errorf("refused for good: %v", err)
		}
	}
}

func TestAnEventArrivesWithItsKeyAndHeaders(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for format, want := range map[string]map[string]string{
		"json": {"Catpaw-Id": event(7).ID(), "Catpaw-Status": "Warning", "content-type": "application/json"},
		"cloudevents": {"Catpaw-Id": event(7).ID(), "Catpaw-Status": "Warning", "content-type": "application/json",
			"ce_specversion": "1.0", "ce_id": event(7).ID(), "ce_source": "/catpaw", "ce_type": "catpaw.alert.firing",
			"ce_subject": "key7", "ce_time": "2024-12-16T09:00:05Z", "ce_severity": "Warning"},
	} {
		f.set(func() { f.records = nil })
		send(t, open(t, f.options(fmt.Sprintf("format = %q", format))), []*pipeline.Message{event(7)})
		got := f.taken()
		if len(got) != 1 || got[0].topic != "catpaw-events" || got[0].key != "key7" || got[0].value != string(event(7).JSON()) {
			t.Fatalf("%+v", got)
		}
		if fmt.Sprint(got[0].headers) != fmt.Sprint(want) {
			t.Errorf("%s: headers\n%v, want\n%v", format, got[0].headers, want)
		}
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.topics = map[string]int{"alerts.warning": 1, "alerts.ok": 1, "on_web_1-none": 1}
	labelled := pipetest.Message(pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "c", "host", "web/1")})
	o := open(t, f.options(`topic = "alerts.{{lower .Status}}"`))
	send(t, o, []*pipeline.Message{event(1), labelled})
	send(t, open(t, f.options(`topic = "on_{{.Labels.host}}-{{.Labels.region}}"`)), []*pipeline.Message{labelled})
	var topics []string
	for _, r := range f.taken() {
		topics = append(topics, r.topic)
	}
	for _, want := range []string{"alerts.warning", "alerts.ok", "on_web_1-none"} {
		if !strings.Contains(strings.Join(topics, " "), want) {
			t.Errorf("nothing in %s: %v", want, topics)
		}
	}
}

// TestPartitionsAreThoseOfJavaClients: the hashes are those of Kafka's own UtilsTest.testMurmur2.
func TestPartitionsAreThoseOfJavaClients(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	const partitions = 1000
	f.topics["catpaw-events"] = partitions
	hashes := map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971}
	var batch []*pipeline.Message
	for key := range hashes {
		batch = append(batch, pipetest.Message(pipeline.Event{AlertKey: key}))
	}
	send(t, open(t, f.options("")), batch)
	for _, r := range f.taken() {
		if want := hashes[r.key] & 0x7fffffff % partitions; r.partition != want {
			t.Errorf("%q is in partition %d, want %d", r.key, r.partition, want)
		}
	}
	if got := len(f.taken()); got != len(hashes) {
		t.Errorf("%d records", got)
	}
}

func TestATopicIsCreatedOnlyWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	plain := open(t, f.options(`topic = "new"`))
	wantAll(t, try(t, plain, events(2)), f.Addr().String(), `no topic "new"`, "create_topic = true")
	send(t, open(t, f.options("topic = \"new\"\ncreate_topic = true")), events(2))
	send(t, plain, events(2)) // it is there now, and the next try sees it
	if got := len(f.taken()); got != 4 {
		t.Errorf("%d records", got)
	}
}

// TestANewTopicIsWaitedFor: a broker may learn only after the answer to CreateTopics that it leads it.
func TestANewTopicIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	requests := 0
	f.set(func() {
		f.produce = func(produced) (r produce.ResponsePartition) {
			if requests++; requests <= 3 {
				r.ErrorCode = int16(kafka.NotLeaderForPartition)
			}
			return r
		}
	})
	send(t, open(t, f.options("topic = 'new'\ncreate_topic = true")), events(1))
}

// TestTheBrokerWaitsForReplicasAsLongAsThereIsTime: kafka-go's client would say 500 ms.
func TestTheBrokerWaitsForReplicasAsLongAsThereIsTime(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for range 2 {
		try(t, open(t, f.options("")), events(1))
	}
	for _, ms := range f.timeouts {
		if got := time.Duration(ms) * time.Millisecond; got < enough/4 || got > enough/2 {
			t.Errorf("the broker was told to wait %v", got)
		}
	}
}

func TestManyTopicsAreKnownTogether(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var batch []*pipeline.Message
	for i := range 30 {
		f.topics[fmt.Sprint("t-key", i)] = 2
		batch = append(batch, event(i))
	}
	o := open(t, f.options(`topic = "t-{{.AlertKey}}"`))
	for _, m := range batch { // each another topic, and so another session
		send(t, o, []*pipeline.Message{m})
	}
	before := f.greeted
	for range 3 {
		send(t, o, batch)
	}
	if f.greeted > before+1 {
		t.Errorf("%d new connections for topics that were known", f.greeted-before)
	}
}

var _ pipeline.Output = (*Output)(nil)
