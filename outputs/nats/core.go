package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// publish sends to whoever listens now. That the server has all of it is all the proof there is: the
// flush ends when it answers.
func (o *Output) publish(ctx context.Context, conn *nats.Conn, messages []*nats.Msg, verdicts []error) {
	before := conn.LastError()
	for i, m := range messages {
		if verdicts[i] == nil {
			verdicts[i] = conn.PublishMsg(m)
		}
	}
	err := conn.FlushWithContext(ctx)
	for i, m := range messages {
		switch {
		case verdicts[i] != nil:
		case err != nil:
			verdicts[i] = fmt.Errorf("%s did not confirm: %w", o.named(), err)
		default:
			verdicts[i] = denied(before, conn.LastError(), m.Subject)
		}
	}
}

// denied is the error that the server may not be published to, where it said so since before. It says so
// before it answers the flush.
func denied(before, now error, subject string) error {
	if now == before || !errors.Is(now, nats.ErrPermissionViolation) || !strings.Contains(now.Error(), `"`+subject+`"`) {
		return nil
	}
	return fmt.Errorf("the server does not let us publish to %s: allow it, or choose another subject", subject)
}
