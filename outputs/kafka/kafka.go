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

// batchSize is the most events that one Write takes. It is a bound, not an aim: nothing waits long for a batch
// to fill.
const batchSize = 1000

// Output is one Kafka cluster and the topics that the events go to.
type Output struct {
	// list of `host:port`, some of the cluster; port 9092 where none is named
	Brokers []string `toml:"brokers"`
	// a name, or a template: `.Status`, `.Plugin`, `.AlertKey`, `.Labels.NAME`, the functions `lower` and `upper`. In
	// values, what a topic cannot hold becomes `_`, a label that is not there `none`; more than 100 bytes of one are
	// cut
	Topic string `toml:"topic"`
	// create a topic that is missing, with the cluster's default partitions and replicas (Kafka 2.4 or newer).
	// Otherwise none is ever created, also where brokers would do it by themselves
	CreateTopic bool `toml:"create_topic"`
	// `none`, `gzip`, `snappy`, `lz4`, `zstd`
	Compression string `toml:"compression"`
	// `cloudevents`: the value is the same, with the attributes of a [CloudEvent](https://github.com/cloudevents/spec)
	// in headers `ce_…`
	Format envelope.Format `toml:"format"`
	// what quotas, logs and metrics of the brokers call us
	ClientID string `toml:"client_id"`

	// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; PLAIN without TLS sends the password as it is
	SASLMechanism string `toml:"sasl_mechanism"`
	// of the login
	SASLUser string `toml:"sasl_user"`
	// of the login
	SASLPassword config.Secret `toml:"sasl_password"`

	// speak TLS
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
