// Package nats publishes events to NATS: into a JetStream stream, which acknowledges each, or to whoever
// listens on the subject now (core NATS).
//
//	Write ─► connection (made lazily, mends itself) ─► core.go: publish, flush
//	                                                └► jetstream.go: publish, wait for the acknowledgements
package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"catpaw/internal/config"
	"catpaw/internal/redact"
	"catpaw/internal/tlsconf"
	"catpaw/outputs/internal/address"
	"catpaw/outputs/internal/envelope"
	"catpaw/pipeline"
)

// batchSize is how many messages are on their way before their acknowledgements are waited for.
const batchSize = 1000

// Output is one NATS cluster.
type Output struct {
	// of one cluster; `nats`, `tls`, `ws` or `wss`
	Servers []string `toml:"servers"`
	// of the messages, or a template for it
	Subject string `toml:"subject"`
	// `json`, or `cloudevents`: the same, with the attributes of CloudEvents 1.0 in headers `ce-…`
	Format envelope.Format `toml:"format"`

	// `true`: into a stream, which acknowledges every event
	JetStream bool `toml:"jetstream"`
	// its name. It must be there, and take the subject. Default: whichever takes the subject.
	Stream string `toml:"stream"`
	// make it where it is missing, for the template's subjects, with the server's defaults
	CreateStream bool `toml:"create_stream"`

	// as the server's monitoring shows it
	ClientName string `toml:"client_name"`
	// a login, with `password`; or one of the next three
	User string `toml:"user"`
	// of `user`
	Password config.Secret `toml:"password"`
	// a token
	Token config.Secret `toml:"token"`
	// the seed of a user, `SU…`
	NKey config.Secret `toml:"nkey"`
	// a file with JWT and seed
	Credentials string `toml:"credentials"`
	// speak TLS, also where the server does not ask for it
	TLS bool `toml:"tls"`
	tlsconf.Options

	subject *address.Template
	options []nats.Option
	redact  redact.Redactor

	denials denials

	mu     sync.Mutex
	conn   *nats.Conn // nil until the first Write
	js     jetstream.JetStream
	stream bool  // it was there when last looked for
	why    error // why there is no connection, as the library said last
}

// New returns an output with the default options.
func New() *Output {
	return &Output{
		Servers: []string{nats.DefaultURL}, Subject: "catpaw.events", Format: envelope.JSON, ClientName: "catpaw",
	}
}

// BatchSize is a thousand events on their way.
func (o *Output) BatchSize() int { return batchSize }

// Write publishes the messages.
func (o *Output) Write(ctx context.Context, batch []*pipeline.Message) []error {
	conn, err := o.connected(ctx)
	if err != nil {
		return pipeline.Verdict(len(batch), err)
	}
	verdicts := make([]error, len(batch))
	messages := make([]*nats.Msg, len(batch))
	for i, m := range batch {
		messages[i], verdicts[i] = o.message(conn, m)
	}
	if o.JetStream {
		o.publishToStream(ctx, conn, messages, verdicts)
	} else {
		o.publish(ctx, conn, messages, verdicts)
	}
	for i := range verdicts {
		verdicts[i] = o.told(conn, verdicts[i])
	}
	return verdicts
}

// message makes what is published. Its error is a verdict for good.
func (o *Output) message(conn *nats.Conn, m *pipeline.Message) (*nats.Msg, error) {
	subject, err := o.subject.Of(m)
	if err != nil {
		return nil, pipeline.Refusedf("no subject can be made for it: %w", err)
	}
	message := &nats.Msg{Subject: subject, Data: m.JSON()}
	if conn.HeadersSupported() {
		headers, err := o.Format.Headers(m, "ce-")
		if err != nil {
			return nil, pipeline.Refused(err)
		}
		headers = append(headers, envelope.Header{Name: nats.MsgIdHdr, Value: m.ID()})
		message.Header = make(nats.Header, len(headers))
		values := make([]string, len(headers)) // one array for all
		for i, h := range headers {
			values[i] = h.Value
			message.Header[h.Name] = values[i : i+1 : i+1]
		}
	}
	return message, nil
}

// told words a failure and hides secrets in it.
func (o *Output) told(conn *nats.Conn, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionReconnecting):
		return fmt.Errorf("the connection to %s broke; it is made again", o.named())
	case errors.Is(err, nats.ErrMaxPayload) && conn.MaxPayload() <= 0:
		return fmt.Errorf("%s says that it takes messages of at most %d bytes, which cannot be", o.named(), conn.MaxPayload())
	case errors.Is(err, nats.ErrMaxPayload):
		return pipeline.Refusedf("it is larger than the server takes (max_payload)")
	case pipeline.IsRefused(err):
		return err
	}
	return errors.New(o.redact.Hide(err.Error()))
}

// Close ends the connection.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil {
		if o.js != nil {
			o.js.CleanupPublisher()
		}
		o.conn.Close()
		o.conn = nil
	}
	return nil
}
