package kafka

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
)

// fake is a broker that says what a test has it say. What real ones say is tested with real ones, in the
// module test; this one can misbehave as they cannot be made to.
type fake struct {
	net.Listener
	all sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	insult   func(net.Conn) // instead of all that follows; it returns when it is done with the connection
	tls      *tls.Config    // nil = none
	greeted  int
	topics   map[string]int                             // partitions
	leader   map[int]int32                              // of a partition; node 0 is this one
	nodes    []metadata.ResponseBroker                  // others
	versions []apiversions.ApiKeyResponse               // that it says it knows
	produce  func(r produced) produce.ResponsePartition // nil = all is well
	throttle int32                                      // ms
	answers  map[protocol.ApiKey]protocol.Message       // instead of its own
	timeouts []int32                                    // of the requests
	records  []record                                   // taken, in order
}

// record is one that a broker took.
type record struct {
	topic     string
	partition int32
	key       string
	value     string
	headers   map[string]string
}

// produced is what one request brings to one partition.
type produced struct {
	topic     string
	partition int32
	records   []record
}

func newFake(t testing.TB) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{Listener: l, conns: map[net.Conn]bool{}, topics: map[string]int{"catpaw-events": 1},
		leader: map[int]int32{}, answers: map[protocol.ApiKey]protocol.Message{}}
	for key, most := range map[protocol.ApiKey]int16{protocol.Produce: 8, protocol.Metadata: 8, protocol.ApiVersions: 2,
		protocol.CreateTopics: 5, protocol.SaslHandshake: 1, protocol.SaslAuthenticate: 1} {
		f.versions = append(f.versions, apiversions.ApiKeyResponse{ApiKey: int16(key), MaxVersion: most})
	}
	f.all.Go(f.serve)
	t.Cleanup(func() {
		f.Close()
		f.hangUp()
		f.all.Wait()
	})
	return f
}

// set changes how the broker behaves.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) taken() []record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.records)
}

func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		conn.Close()
	}
}

func (f *fake) serve() {
	for {
		conn, err := f.Accept()
		if err != nil {
			return
		}
		f.set(func() { f.conns[conn] = true; f.greeted++ })
		f.all.Go(func() {
			f.greet(conn)
			conn.Close()
			f.set(func() { delete(f.conns, conn) })
		})
	}
}

func (f *fake) greet(conn net.Conn) {
	f.mu.Lock()
	insult, secure := f.insult, f.tls
	f.mu.Unlock()
	if insult != nil {
		insult(conn)
		return
	}
	if secure != nil {
		conn = tls.Server(conn, secure)
	}
	f.talk(conn)
}

func (f *fake) talk(conn net.Conn) {
	for {
		version, id, _, request, err := protocol.ReadRequest(conn)
		if err != nil {
			return
		}
		answer := f.answer(version, request)
		if answer == nil || protocol.WriteResponse(conn, version, id, answer) != nil {
			return
		}
	}
}

func (f *fake) answer(version int16, request protocol.Message) protocol.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	if answer, ok := f.answers[request.ApiKey()]; ok {
		return answer
	}
	switch r := request.(type) {
	case *apiversions.Request:
		return &apiversions.Response{ApiKeys: f.versions}
	case *saslhandshake.Request:
		return &saslhandshake.Response{}
	case *saslauthenticate.Request:
		return &saslauthenticate.Response{}
	case *createtopics.Request:
		answer := &createtopics.Response{}
		for _, topic := range r.Topics {
			f.topics[topic.Name] = 3
			answer.Topics = append(answer.Topics, createtopics.ResponseTopic{Name: topic.Name})
		}
		return answer
	case *metadata.Request:
		return f.metadata(r)
	case *produce.Request:
		return f.take(r)
	}
	return nil
}

func (f *fake) metadata(r *metadata.Request) protocol.Message {
	at := f.Addr().(*net.TCPAddr)
	answer := &metadata.Response{Brokers: append([]metadata.ResponseBroker{{Host: "127.0.0.1", Port: int32(at.Port)}}, f.nodes...)}
	for _, name := range r.TopicNames {
		topic := metadata.ResponseTopic{Name: name}
		for id := range f.topics[name] {
			topic.Partitions = append(topic.Partitions, metadata.ResponsePartition{PartitionIndex: int32(id), LeaderID: f.leader[id]})
		}
		if len(topic.Partitions) == 0 {
			topic.ErrorCode = int16(kafka.UnknownTopicOrPartition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
	return answer
}

func (f *fake) take(r *produce.Request) protocol.Message {
	f.timeouts = append(f.timeouts, r.Timeout)
	answer := &produce.Response{ThrottleTimeMs: f.throttle}
	for _, topic := range r.Topics {
		to := produce.ResponseTopic{Topic: topic.Topic}
		for _, partition := range topic.Partitions {
			p := produced{topic.Topic, partition.Partition, received(topic.Topic, partition)}
			var verdict produce.ResponsePartition
			if f.produce != nil {
				verdict = f.produce(p)
			}
			if verdict.Partition = p.partition; verdict.ErrorCode == 0 {
				f.records = append(f.records, p.records...)
			}
			to.Partitions = append(to.Partitions, verdict)
		}
		answer.Topics = append(answer.Topics, to)
	}
	return answer
}

func received(topic string, p produce.RequestPartition) (all []record) {
	for {
		r, err := p.RecordSet.Records.ReadRecord()
		if err != nil {
			return all
		}
		key, _ := protocol.ReadAll(r.Key)
		value, _ := protocol.ReadAll(r.Value)
		one := record{topic, p.Partition, string(key), string(value), map[string]string{}}
		for _, header := range r.Headers {
			one.headers[header.Key] = string(header.Value)
		}
		all = append(all, one)
	}
}

func (f *fake) options(more string) string {
	return fmt.Sprintf("brokers = [%q]\n%s", f.Addr(), more)
}
