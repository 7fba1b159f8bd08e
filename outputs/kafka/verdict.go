package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"catpaw/internal/pattern"
	"catpaw/internal/printable"
)

// answer is what became of one request.
type answer struct {
	again    error         // try again
	answered bool          // by the broker, where again is set
	settling bool          // as a broker answers that has not heard yet what it leads
	refused  error         // never; where there are several records, one of them is guilty
	guilty   map[int]error // the records that the broker named, by their place in the request
}

// broken is the verdict of a broker that did not answer.
func (a answer) broken() error {
	if a.answered {
		return nil
	}
	return a.again
}

// final are the codes that say that a record will never do. All others pass, with time or with somebody's
// help: also a wrong timestamp, which comes from a wrong clock and would refuse all events alike.
var final = map[kafka.Error]bool{
	kafka.MessageSizeTooLarge: true,
	kafka.RecordListTooLarge:  true,
	kafka.InvalidRecord:       true,
}

// advice says what to do about a code, where we know.
var advice = map[kafka.Error]string{
	kafka.MessageSizeTooLarge:          "the topic's max.message.bytes bounds it",
	kafka.InvalidTimestamp:             "is this host's clock right?",
	kafka.NotEnoughReplicas:            "fewer replicas are in sync than min.insync.replicas",
	kafka.NotEnoughReplicasAfterAppend: "fewer replicas are in sync than min.insync.replicas",
	kafka.TopicAuthorizationFailed:     "allow our user WRITE and DESCRIBE on the topic",
	kafka.ClusterAuthorizationFailed:   "allow our user what it needs; for create_topic, CREATE",
	kafka.UnsupportedSASLMechanism:     "sasl_mechanism must be one of its sasl.enabled.mechanisms",
	kafka.IllegalSASLState:             "nobody logs in on this port: leave out sasl_mechanism, or give the port where they do",
	kafka.SASLAuthenticationFailed:     "are sasl_user and sasl_password right?",
	kafka.UnsupportedCompressionType:   "choose another compression",
	kafka.InvalidReplicationFactor:     "there are fewer brokers than default.replication.factor",
	kafka.PolicyViolation:              "create.topic.policy.class.name decides that",
}

// judge reads the answer to one request. A broker that refuses says so in the answer, which is then no
// error of the exchange.
func (w *write) judge(s *shipment, r *kafka.ProduceResponse) answer {
	guilty := map[int]error{}
	for at, why := range r.RecordErrors {
		text := why.Error()
		if text == "" {
			text = w.explain(r.Error)
		}
		guilty[at] = w.faultf("%s refused this event for the topic %q: %s", s.leader, s.topic, text)
	}
	if r.Error == nil && len(guilty) == 0 {
		return answer{}
	}
	err := w.faultf("%s did not take it for the topic %q, partition %d: %s", s.leader, s.topic, s.partition, w.explain(r.Error))
	var code kafka.Error
	if errors.As(r.Error, &code) && !final[code] {
		return answer{again: err, answered: true, settling: code == kafka.NotLeaderForPartition || code == kafka.UnknownTopicOrPartition}
	}
	return answer{refused: err, guilty: guilty}
}

// noTopic is the verdict where there is no such topic, or none that we may see.
func (w *write) noTopic(topic kafka.Topic) error {
	switch {
	case errors.Is(topic.Error, kafka.UnknownTopicOrPartition) && !w.CreateTopic:
		return w.faultf("%s has no topic %q: create it, or set create_topic = true", w.name(), topic.Name)
	case topic.Error == nil:
		return w.faultf("%s: the topic %q has no partitions yet", w.name(), topic.Name)
	}
	return w.faultf("%s: the topic %q: %s", w.name(), topic.Name, w.explain(topic.Error))
}

// failed explains why there was no answer; broker is whom we asked, "" = any. The text is the same at
// every try, so that the log can say it once.
func (w *write) failed(ctx context.Context, broker string, err error) error {
	if broker == "" {
		broker = w.name()
	}
	var known *fault
	switch {
	case errors.As(err, &known):
		return w.faultf("%s", known.text)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return w.faultf("%s did not answer in time", broker)
	case ctx.Err() != nil:
		return w.faultf("the request to %s was broken off: the output is stopping", broker)
	case errors.Is(err, protocol.ErrNoLeader):
		return w.faultf("%s: a partition has no leader now: is one of its brokers down?", broker)
	}
	return w.faultf("%s: %s", broker, w.explain(err))
}

// clientPrefix is where in kafka-go an error was.
var clientPrefix = pattern.Lazy(`^kafka\.\(\*Client\)\.\w+: `)

// explain words an error of Kafka's, with what the broker added and what to do.
func (o *Output) explain(err error) string {
	if err == nil {
		return "it did not say why"
	}
	var code kafka.Error
	if !errors.As(err, &code) {
		return clientPrefix().ReplaceAllString(err.Error(), "")
	}
	text := code.Title()
	if text == "" { // a code that kafka-go does not know
		text = fmt.Sprintf("error code %d", int(code))
	}
	if _, more, found := strings.Cut(err.Error(), code.Error()+": "); found {
		text += ": " + more
	}
	if what := advice[code]; what != "" {
		text += " (" + what + ")"
	}
	return text
}

// name is the cluster as errors call it.
func (o *Output) name() string {
	const most = 3
	if len(o.Brokers) <= most {
		return strings.Join(o.Brokers, ", ")
	}
	return strings.Join(o.Brokers[:most], ", ") + ", …"
}

// faultf is an error without secrets, and without what would drive a terminal. It wraps nothing, so nothing
// can be dug out of it.
func (o *Output) faultf(format string, args ...any) error {
	const most = 400
	return errors.New(printable.Line(o.redact.Hide(fmt.Sprintf(format, args...)), most))
}
