package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxPending bounds the messages whose acknowledgement is awaited, over all workers.
const maxPending = 1 << 16

// connected returns the connection when it stands, which is waited for until ctx ends.
func (o *Output) connected(ctx context.Context) (*nats.Conn, error) {
	conn, err := o.open()
	if err != nil {
		return nil, err
	}
	for {
		changed := conn.StatusChanged(nats.CONNECTED, nats.CLOSED)
		status := conn.Status()
		if status != nats.CONNECTED && status != nats.CLOSED {
			select {
			case <-changed:
			case <-ctx.Done():
				conn.RemoveStatusListener(changed)
				return nil, o.unreachable()
			}
		}
		conn.RemoveStatusListener(changed)
		switch conn.Status() {
		case nats.CONNECTED:
			return conn, nil
		case nats.CLOSED:
			return nil, o.unreachable()
		}
	}
}

// open makes the connection, which connects and mends itself from then on.
func (o *Output) open() (*nats.Conn, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil && !o.conn.IsClosed() {
		return o.conn, nil
	}
	conn, err := nats.Connect(strings.Join(o.Servers, ","), o.options...)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %s", o.named(), o.redact.Hide(err.Error()))
	}
	o.conn, o.stream = conn, false
	if o.JetStream {
		o.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(maxPending), jetstream.WithPublishAsyncTimeout(ackBound))
	}
	return conn, err
}

// heard notes what the library last said of the connection.
func (o *Output) heard(_ *nats.Conn, err error) {
	if err == nil {
		return
	}
	o.denials.hear(err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.why = err
}

// unreachable says why there is no connection.
func (o *Output) unreachable() error {
	o.mu.Lock()
	why := o.why
	o.mu.Unlock()
	hint := ""
	switch {
	case why == nil:
		return fmt.Errorf("no connection to %s yet", o.named())
	case errors.Is(why, nats.ErrAuthorization):
		hint = ": the login is wrong, or the server asks for one (user, token, nkey or credentials)"
	case errors.Is(why, nats.ErrNoInfoReceived):
		hint = ": what answers there does not seem to be NATS"
	case errors.Is(why, nats.ErrSecureConnRequired):
		hint = ": the server asks for TLS; set tls = true"
	case errors.Is(why, nats.ErrSecureConnWanted):
		hint = ": the server speaks no TLS; take tls away"
	}
	return fmt.Errorf("no connection to %s: %s%s", o.named(), strings.TrimPrefix(o.redact.Hide(why.Error()), "nats: "), hint)
}

func (o *Output) named() string { return strings.Join(o.Servers, ", ") }
