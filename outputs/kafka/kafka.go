// Package kafka writes events to topics of Apache Kafka, each acknowledged by all replicas in sync.
//
//	events ─► topic, headers ─► partition by key ─► leader ─► Produce, partition after partition ─► verdicts
//	                                                  └────► another leader, at the same time
//
// options.go, sasl.go and topic.go judge the options. cluster.go keeps the session with the brokers, dial.go
// connects to one, conn.go talks to it and frame.go mistrusts what it says. record.go makes records of
// events, route.go finds their partitions, ship.go sends them as encode.go writes them, and verdict.go
// judges what came of it; throttle.go keeps to the quota.
//
// It uses kafka-go's Client and Transport. Its Writer would not do: that queues without limit and goes on
// delivering after it has returned an error (https://github.com/segmentio/kafka-go/issues/1427).
package kafka

import (
	"context"
	"errors"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"

	"catpaw/internal/config"
	"catpaw/internal/redact"
	"catpaw/internal/tlsconf"
	"catpaw/outputs/internal/address"
	"catpaw/outputs/internal/envelope"
	"catpaw/pipeline"
)

// batchSize is the most events that one Write takes. It is a bound, not an aim: nothing waits for a batch
// to fill.
const batchSize = 1000

// Output is one Kafka cluster and the topics that the events go to.
type Output struct {
	Brokers     []string        `toml:"brokers"` // host:port; the port is 9092 where it is missing
	Topic       string          `toml:"topic"`   // a template
	CreateTopic bool            `toml:"create_topic"`
	Compression string          `toml:"compression"`
	Format      envelope.Format `toml:"format"`
	ClientID    string          `toml:"client_id"`

	SASLMechanism string        `toml:"sasl_mechanism"`
	SASLUser      string        `toml:"sasl_user"`
	SASLPassword  config.Secret `toml:"sasl_password"`

	TLS bool `toml:"tls"`
	tlsconf.Options

	topic       *address.Template
	compression kafka.Compression
	login       sasl.Mechanism // nil: none
	redact      redact.Redactor
	cluster     *cluster
	throttle    throttle
}

// New returns an output with the default options.
func New() *Output {
	return &Output{Topic: "catpaw-events", Compression: "none", Format: envelope.JSON, ClientID: "catpaw"}
}

// Init judges the options.
func (o *Output) Init() error {
	var errs []error
	errs = append(errs, o.judgeBrokers(), o.judgeTopic(), o.judgeCompression(), o.Format.Check(), o.judgeClientID(), o.judgeSASL())
	tls, err := o.judgeTLS()
	errs = append(errs, err)
	o.redact.AddLogin(o.SASLUser, o.SASLPassword.Reveal())
	o.cluster = newCluster(&dialer{brokers: o.Brokers, tls: tls, login: o.login != nil}, o.login, o.ClientID)
	return errors.Join(errs...)
}

// BatchSize is 1,000.
func (o *Output) BatchSize() int { return batchSize }

// Write sends the messages, each to the partition that its alert key has, and waits until all replicas in
// sync have them.
func (o *Output) Write(ctx context.Context, batch []*pipeline.Message) []error {
	w := &write{Output: o, verdicts: make([]error, len(batch))}
	rows := w.prepare(batch)
	if len(rows) == 0 {
		return w.verdicts
	}
	if err := o.throttle.wait(ctx); err != nil {
		w.fail(rows, err)
		return w.verdicts
	}
	w.session = o.cluster.open(topicsOf(rows))
	w.send(ctx, w.route(ctx, rows))
	o.cluster.leave(w.session, w.outcome())
	return w.verdicts
}

// Close lets go of the connections.
func (o *Output) Close() error {
	o.cluster.close()
	return nil
}
