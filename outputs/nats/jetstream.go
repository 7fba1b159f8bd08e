package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ackBound is when the library forgets a message that was never acknowledged; we have long given up by then.
const ackBound = time.Minute

// publishToStream publishes all and then waits for the acknowledgements. A message that the stream has
// already (it knows it by its id) is acknowledged, too.
func (o *Output) publishToStream(ctx context.Context, conn *nats.Conn, messages []*nats.Msg, verdicts []error) {
	if err := o.findStream(ctx); err != nil {
		for i := range verdicts {
			if verdicts[i] == nil {
				verdicts[i] = err
			}
		}
		return
	}
	options := []jetstream.PublishOpt{jetstream.WithRetryAttempts(0)} // retrying is the sender's business
	if o.Stream != "" {
		options = append(options, jetstream.WithExpectStream(o.Stream))
	}
	before := o.denials.now()
	futures := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		if verdicts[i] == nil {
			if most := conn.MaxPayload(); most > 0 && int64(len(m.Data)) > most {
				verdicts[i] = nats.ErrMaxPayload // the library lets it pass, and the server cuts the connection
				continue
			}
			futures[i], verdicts[i] = o.js.PublishMsgAsync(m, options...)
		}
	}
	for i, future := range futures {
		if future != nil {
			verdicts[i] = o.awaitAck(ctx, future, before, options)
		}
	}
}

// awaitAck waits for the acknowledgement, or for the server to deny the subject, as it had not before: then there
// will be none.
func (o *Output) awaitAck(ctx context.Context, future jetstream.PubAckFuture, before int, options []jetstream.PublishOpt) error {
	denied := o.denials.next()
	if err := o.denials.since(before, future.Msg().Subject); err != nil {
		return err
	}
	select {
	case ack := <-future.Ok():
		if ack.Duplicate {
			return o.judgeDuplicate(ctx, future.Msg(), ack, options)
		}
		return nil
	case err := <-future.Err():
		return o.judgeAck(err, future.Msg().Subject)
	case <-denied:
		return o.awaitAck(ctx, future, before, options)
	case <-ctx.Done():
		return fmt.Errorf("%s did not acknowledge in time", o.named())
	}
}

// judgeDuplicate makes sure that what the stream has already is this message: another output may have
// written the same event to it, under another subject. Then this one gets an id of its own.
func (o *Output) judgeDuplicate(ctx context.Context, m *nats.Msg, ack *jetstream.PubAck, options []jetstream.PublishOpt) error {
	stream, err := o.js.Stream(ctx, ack.Stream)
	if err != nil {
		return nil // we may not look; it is nearly always what we sent before
	}
	stored, err := stream.GetMsg(ctx, ack.Sequence)
	if err != nil || stored.Subject == m.Subject {
		return nil
	}
	m.Header.Set(nats.MsgIdHdr, m.Header.Get(nats.MsgIdHdr)+"@"+m.Subject)
	if _, err = o.js.PublishMsg(ctx, m, options...); err != nil {
		return o.judgeAck(err, m.Subject)
	}
	return nil
}

// judgeAck words what a stream says against a message.
func (o *Output) judgeAck(err error, subject string) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse):
		o.lostStream()
		if o.Stream != "" {
			return fmt.Errorf("the stream %s does not take the subject %s: add it to the stream's subjects, which catpaw does not change", o.Stream, subject)
		}
		return fmt.Errorf("no stream takes the subject %s: make one, or name it with stream and set create_stream = true", subject)
	case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamMessageExceedsMaximum:
		return nats.ErrMaxPayload
	case errors.As(err, &api) && api.ErrorCode == expectedStreamDiffers:
		o.lostStream()
		return fmt.Errorf("the stream %s does not take the subject %s: another does", o.Stream, subject)
	}
	return fmt.Errorf("%s: %w", o.named(), err)
}

// expectedStreamDiffers is the server's JSStreamNotMatchErr.
const expectedStreamDiffers jetstream.ErrorCode = 10060

func (o *Output) lostStream() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stream = false
}

// findStream looks once whether the stream is there, and makes it where that is wished.
func (o *Output) findStream(ctx context.Context) error {
	o.mu.Lock()
	known := o.stream || o.Stream == ""
	o.mu.Unlock()
	if known {
		return nil
	}
	_, err := o.js.Stream(ctx, o.Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if !o.CreateStream {
			return fmt.Errorf("the stream %s does not exist on %s: make it, or set create_stream = true", o.Stream, o.named())
		}
		_, err = o.js.CreateStream(ctx, jetstream.StreamConfig{Name: o.Stream, Subjects: []string{o.subjects()}})
	}
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("JetStream is not enabled on %s", o.named())
	case err != nil:
		return fmt.Errorf("the stream %s on %s: %w", o.Stream, o.named(), err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stream = true
	return nil
}

// subjects is what a stream must take to have all our subjects: what stands before the first template.
func (o *Output) subjects() string {
	fixed, _, isTemplate := strings.Cut(o.Subject, "{{")
	if !isTemplate {
		return fixed
	}
	fixed = fixed[:strings.LastIndexByte(fixed, '.')+1]
	return fixed + ">"
}
