package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func refuses(code kafka.Error) func(produced) produce.ResponsePartition {
	return func(produced) produce.ResponsePartition { return produce.ResponsePartition{ErrorCode: int16(code)} }
}

// TestCodesThatPass come without an error of the exchange itself.
func TestCodesThatPass(t *testing.T) {
	t.Parallel()
	for code, says := range map[kafka.Error]string{
		kafka.NotLeaderForPartition:        "Not Leader For Partition",
		kafka.RequestTimedOut:              "Request Timed Out",
		kafka.NotEnoughReplicas:            "min.insync.replicas",
		kafka.NotEnoughReplicasAfterAppend: "min.insync.replicas",
		kafka.TopicAuthorizationFailed:     "allow our user WRITE",
		kafka.InvalidTimestamp:             "clock",
		kafka.InvalidMessage:               "Invalid Message",
		kafka.KafkaStorageError:            "Kafka Storage Error",
		kafka.UnsupportedCompressionType:   "choose another compression",
		kafka.ThrottlingQuotaExceeded:      "",
		kafka.Error(9999):                  "error code 9999",
	} {
		t.Run(code.Title(), func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			o := open(t, f.options(""))
			f.set(func() { f.produce = refuses(code) })
			wantAll(t, try(t, o, events(3)), f.Addr().String(), `"catpaw-events"`, says)
			f.set(func() { f.produce = nil })
			send(t, o, events(3))
			if got := len(f.taken()); got != 3 {
				t.Errorf("%d records", got)
			}
		})
	}
}

// TestAGuiltyRecordCostsOnlyItself, whether the broker refuses all of a request or names who is guilty.
func TestAGuiltyRecordCostsOnlyItself(t *testing.T) {
	t.Parallel()
	guilty := func(p produced) (at []int) {
		for i, r := range p.records {
			if strings.Contains(r.value, "event 7.") || strings.Contains(r.value, "event 11.") {
				at = append(at, i)
			}
		}
		return at
	}
	all := func(code kafka.Error) func(produced) produce.ResponsePartition {
		return func(p produced) (r produce.ResponsePartition) {
			if len(guilty(p)) > 0 {
				r.ErrorCode = int16(code)
			}
			return r
		}
	}
	for name, c := range map[string]struct {
		produce func(produced) produce.ResponsePartition
		says    string
	}{
		"too large":          {all(kafka.MessageSizeTooLarge), "max.message.bytes"},
		"larger than a list": {all(kafka.RecordListTooLarge), "Record List Too Large"},
		"invalid":            {all(kafka.InvalidRecord), "Invalid Record"},
		"invalid, and named": {func(p produced) (r produce.ResponsePartition) {
			for _, at := range guilty(p) {
				r.ErrorCode, r.ErrorMessage = int16(kafka.InvalidRecord), "One or more records have been rejected"
				r.RecordErrors = append(r.RecordErrors, produce.ResponseError{BatchIndex: int32(at), BatchIndexErrorMessage: "no taste"})
			}
			return r
		}, "no taste"},
		"named without a reason": {func(p produced) (r produce.ResponsePartition) {
			for _, at := range guilty(p) {
				r.ErrorCode, r.ErrorMessage = int16(kafka.InvalidRecord), "so there"
				r.RecordErrors = append(r.RecordErrors, produce.ResponseError{BatchIndex: int32(at)})
			}
			return r
		}, "so there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.set(func() { f.produce = c.produce })
			verdicts := try(t, open(t, f.options("")), events(20))
			for i, err := range verdicts {
				if bad := i == 7 || i == 11; bad != pipeline.IsRefused(err) || !bad && err != nil {
					t.Errorf("event %d: %v", i, err)
				}
			}
			pipetest.WantError(t, verdicts[7], c.says)
			wantOnce(t, f, 18)
		})
	}
}

// wantOnce fails the test unless so many events are there, each once and in order.
func wantOnce(t *testing.T, f *fake, n int) {
	t.Helper()
	seen, last := map[string]bool{}, ""
	for _, r := range f.taken() {
		if id := r.headers["Catpaw-Id"]; seen[id] || id < last {
			t.Errorf("%s comes again, or after %s", r.value, last)
		} else {
			seen[id], last = true, id
		}
	}
	if len(seen) != n {
		t.Errorf("%d events are there, want %d", len(seen), n)
	}
}

// TestNothingIsSentAfterWhatMustBeTriedAgain: the second of several requests to a partition fails, and
// the third, which would go well, must wait.
func TestNothingIsSentAfterWhatMustBeTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var batch []*pipeline.Message
	for i := range 30 { // of 100 kB each: three requests, of nine or ten
		batch = append(batch, pipetest.Message(pipeline.Event{ID: fmt.Sprintf("%032x", i), AlertKey: fmt.Sprint(i), Description: strings.Repeat("x", 100_000)}))
	}
	requests := 0
	f.set(func() {
		f.produce = func(produced) (r produce.ResponsePartition) {
			if requests++; requests == 2 {
				r.ErrorCode = int16(kafka.NotLeaderForPartition)
			}
			return r
		}
	})
	o := open(t, f.options(""))
	delivered := 0
	for i, err := range try(t, o, batch) {
		switch {
		case err == nil && i != delivered:
			t.Fatalf("event %d is delivered, and event %d is not", i, delivered)
		case err == nil:
			delivered++
		}
	}
	if delivered == 0 || delivered == len(batch) || requests != 2 {
		t.Errorf("%d of %d are delivered, in %d requests", delivered, len(batch), requests)
	}
	send(t, o, batch[delivered:])
	wantOnce(t, f, len(batch))
}

func TestABrokerInTroubleCostsOnlyItsPartitions(t *testing.T) {
	t.Parallel()
	f, silent := newFake(t), newFake(t)
	silent.set(func() { silent.answers[protocol.ApiVersions] = nil }) // it closes
	f.set(func() {
		f.topics["catpaw-events"] = 3
		f.nodes = []metadata.ResponseBroker{{NodeID: 1, Host: "127.0.0.1", Port: portOf(silent)}}
		f.leader = map[int]int32{0: 0, 1: 1, 2: 77} // of the last nobody knows who
	})
	o := open(t, f.options(""))
	says := map[string]int{}
	for _, err := range try(t, o, events(60)) {
		text := "delivered"
		if err != nil {
			text = err.Error()
		}
		says[text]++
	}
	if len(says) != 3 || says["delivered"] != len(f.taken()) || says["delivered"] < 10 {
		t.Errorf("%v", says)
	}
	for _, want := range []string{"partition 2 of the topic \"catpaw-events\" has no leader now", silent.Addr().String() + " closed the connection"} {
		if !strings.Contains(fmt.Sprint(says), want) {
			t.Errorf("nothing says %q: %v", want, says)
		}
	}
	f.set(func() { f.leader = map[int]int32{} })
	for deadline := time.Now().Add(enough); outcomeOf(try(t, o, events(60))).failed; { // while part gets through, the session is not given up at once
		if time.Now().After(deadline) {
			t.Fatal("the new leaders are not found")
		}
	}
}

func outcomeOf(verdicts []error) outcome { return (&write{verdicts: verdicts}).outcome() }

func portOf(f *fake) (port int32) {
	fmt.Sscanf(f.Addr().String(), "127.0.0.1:%d", &port)
	return port
}

func TestAQuotaIsKept(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	o := open(t, f.options(""))
	f.set(func() { f.throttle = 300 })
	begun := time.Now()
	send(t, o, events(1))
	f.set(func() { f.throttle = 0 })
	send(t, o, events(1))
	if took := time.Since(begun); took < 300*time.Millisecond {
		t.Errorf("the broker was to be left alone for 300 ms, and was for %v", took)
	}
	f.set(func() { f.throttle = 30_000 })
	send(t, o, events(1))
	for _, err := range tryWithin(t, o, events(2), 10*time.Second) {
		if wait := pipeline.RetryDelay(err); wait < 25*time.Second || wait > 30*time.Second || !strings.Contains(err.Error(), "quota") {
			t.Errorf("asks to wait %v: %v", wait, err)
		}
	}
	var quota throttle
	quota.note(24 * time.Hour)
	if left := time.Until(quota.until); left > time.Minute {
		t.Errorf("a broker asks for a day and gets %v", left)
	}
}

func TestBrokersThatRestart(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	o := open(t, f.options(""))
	send(t, o, events(5))
	f.hangUp()
	try(t, o, events(5)) // on a connection that is dead
	send(t, o, events(5))
}

func TestNobodyListensAtFirst(t *testing.T) {
	t.Parallel()
	f, gone := newFake(t), newFake(t)
	gone.Close()
	o := open(t, fmt.Sprintf("brokers = [%q]", gone.Addr()))
	wantAll(t, try(t, o, events(2)), gone.Addr().String()+": connection refused")
	both := open(t, fmt.Sprintf("brokers = [%q, %q]", gone.Addr(), f.Addr()))
	for range 3 {
		send(t, both, events(2))
	}
	neither := open(t, fmt.Sprintf("brokers = [%q, %q]", gone.Addr(), "127.0.0.1:1"))
	first := try(t, neither, events(1))[0]
	for range 3 {
		if again := try(t, neither, events(1))[0]; again.Error() != first.Error() {
			t.Errorf("the log would say it again: %v, %v", first, again)
		}
	}
	f.set(func() {
		f.nodes = []metadata.ResponseBroker{{NodeID: 1, Host: "127.0.0.1", Port: portOf(gone)}}
		f.leader[0] = 1
	})
	wantAll(t, try(t, open(t, f.options("")), events(2)), gone.Addr().String(), "advertised.listeners")
}

const login = `
sasl_mechanism = "PLAIN"
sasl_user = "me"
sasl_password = "s3cret-passw0rd"
`

func TestLogins(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(f *fake)
		options string
		says    string
	}{
		"the password is wrong": {func(f *fake) {
			f.answers[protocol.SaslAuthenticate] = &saslauthenticate.Response{ErrorCode: int16(kafka.SASLAuthenticationFailed), ErrorMessage: "me/s3cret-passw0rd is not known"}
		}, login, "me/*** is not known (are sasl_user and sasl_password right?)"},
		"the password is wrong, and the broker only closes": {func(f *fake) { f.answers[protocol.SaslAuthenticate] = nil }, login, "during the login: are sasl_user and sasl_password right?"},
		"the mechanism is not known": {func(f *fake) {
			f.answers[protocol.SaslHandshake] = &saslhandshake.Response{ErrorCode: int16(kafka.UnsupportedSASLMechanism)}
		}, login, "sasl.enabled.mechanisms"},
		"nobody logs in here": {func(f *fake) {
			f.answers[protocol.SaslHandshake] = &saslhandshake.Response{ErrorCode: int16(kafka.IllegalSASLState)}
		}, login, "leave out sasl_mechanism"},
		"a login is expected": {func(f *fake) { f.answers[protocol.Metadata] = nil }, "", "does it expect a login (sasl_mechanism)?"},
		"the broker is of the old times": {func(f *fake) {
			f.versions = []apiversions.ApiKeyResponse{{ApiKey: int16(protocol.Metadata), MaxVersion: 1}}
		}, login, "older than Kafka 1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			versions := f.versions
			f.set(func() { c.change(f) })
			o := open(t, f.options(c.options))
			verdicts := try(t, o, events(2))
			wantAll(t, verdicts, f.Addr().String(), c.says)
			if strings.Contains(fmt.Sprintf("%v %+v %#v", verdicts, verdicts, verdicts), "s3cret") {
				t.Errorf("an error tells the password: %v", verdicts[0])
			}
			f.set(func() { clear(f.answers); f.versions = versions })
			send(t, o, events(2))
		})
	}
}
