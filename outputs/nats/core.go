package nats

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"
)

// publish sends to whoever listens now. That the server has all of it is all the proof there is: the
// flush ends when it answers.
func (o *Output) publish(ctx context.Context, conn *nats.Conn, messages []*nats.Msg, verdicts []error) {
	before := o.denials.now()
	for i, m := range messages {
		if verdicts[i] == nil {
			verdicts[i] = conn.PublishMsg(m)
		}
	}
	err := conn.FlushWithContext(ctx)
	o.denials.settle(ctx, conn)
	for i, m := range messages {
		switch {
		case verdicts[i] != nil:
		case err != nil:
			verdicts[i] = fmt.Errorf("%s did not confirm: %w", o.named(), err)
		default:
			verdicts[i] = o.denials.since(before, m.Subject)
		}
	}
}
