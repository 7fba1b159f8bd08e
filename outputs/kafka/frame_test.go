package kafka

import (
	"bytes"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
)

// sample is an answer with something in every field, and the versions of it that kafka-go reads.
type sample struct {
	message protocol.Message
	most    int16
}

func samples() []sample {
	return []sample{
		{&apiversions.Response{ErrorCode: 3, ApiKeys: []apiversions.ApiKeyResponse{{ApiKey: 1, MinVersion: 2, MaxVersion: 3}, {}}, ThrottleTimeMs: 7}, 2},
		{&saslhandshake.Response{ErrorCode: 33, Mechanisms: []string{"PLAIN", ""}}, 1},
		{&saslauthenticate.Response{ErrorCode: 58, ErrorMessage: "no", AuthBytes: []byte("v=abc"), SessionLifetimeMs: 9}, 1},
		{&createtopics.Response{ThrottleTimeMs: 1, Topics: []createtopics.ResponseTopic{{Name: "t", ErrorCode: 36, ErrorMessage: "there", NumPartitions: 3,
			Configs: []createtopics.ResponseTopicConfig{{Name: "n", Value: "v", IsSensitive: true}}}, {Name: "u"}}}, 5},
		{&metadata.Response{ThrottleTimeMs: 1, Brokers: []metadata.ResponseBroker{{NodeID: 1, Host: "h", Port: 2, Rack: "r"}}, ClusterID: "c",
			Topics: []metadata.ResponseTopic{{Name: "t", Partitions: []metadata.ResponsePartition{{ReplicaNodes: []int32{1, 2}, IsrNodes: []int32{1}, OfflineReplicas: []int32{2}}}}}}, 8},
		{&produce.Response{ThrottleTimeMs: 5, Topics: []produce.ResponseTopic{{Topic: "t", Partitions: []produce.ResponsePartition{{ErrorCode: 87,
			RecordErrors: []produce.ResponseError{{BatchIndex: 1, BatchIndexErrorMessage: "bad"}}, ErrorMessage: "x"}}}}}, 8},
	}
}

// answerOf returns a frame without its size and correlation id.
func answerOf(t testing.TB, message protocol.Message, version int16) []byte {
	t.Helper()
	var frame bytes.Buffer
	if err := protocol.WriteResponse(&frame, version, 1, message); err != nil {
		t.Fatal(err)
	}
	return frame.Bytes()[8:]
}

// TestEveryAnswerOfEveryVersionIsReadable, and is not when a byte of it is missing.
func TestEveryAnswerOfEveryVersionIsReadable(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		for version := range s.most + 1 {
			body := answerOf(t, s.message, version)
			if !readable(s.message.ApiKey(), version, body) {
				t.Errorf("%v, version %d is not readable: %q", s.message.ApiKey(), version, body)
			}
			if !readable(s.message.ApiKey(), version, append(body, "more"...)) {
				t.Errorf("%v, version %d: bytes that a newer broker may add are not passed over", s.message.ApiKey(), version)
			}
			for n := range body {
				if readable(s.message.ApiKey(), version, body[:n]) {
					t.Fatalf("%v, version %d is readable with %d of %d bytes", s.message.ApiKey(), version, n, len(body))
				}
			}
		}
	}
	if readable(protocol.Fetch, 1, []byte("\x00\x00\x00\x00")) {
		t.Error("an answer is readable to what was never asked")
	}
}

// FuzzReadable: what passes is read without panic, and without allocating more than it could hold.
func FuzzReadable(f *testing.F) {
	for _, s := range samples() {
		for version := range s.most + 1 {
			f.Add(uint8(s.message.ApiKey()), uint8(version), answerOf(f, s.message, version))
		}
	}
	f.Add(uint8(protocol.ApiVersions), uint8(0), []byte("\x00\x00\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, api, version uint8, body []byte) {
		key := protocol.ApiKey(api)
		if version > 8 || !readable(key, int16(version), body) {
			return
		}
		frame := append([]byte{0, 0, byte((len(body) + 4) >> 8), byte(len(body) + 4), 0, 0, 0, 1}, body...)
		if len(body) < 60_000 {
			protocol.ReadResponse(bytes.NewReader(frame), key, int16(version))
		}
	})
}
