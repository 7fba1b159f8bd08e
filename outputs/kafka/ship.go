package kafka

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"catpaw/pipeline"
)

// maxRequest is how many bytes go into one Produce, unless a single event is larger: a little less than
// what brokers and topics take by default (max.message.bytes, 1,048,588).
const maxRequest = 1_000_000

// write is one Write on its way.
type write struct {
	*Output
	session  *session
	fresh    bool    // a topic was created just now
	verdicts []error // of each message; goroutines write to different ones
}

// prepare makes rows of the messages. Those of which none can be made are refused.
func (w *write) prepare(batch []*pipeline.Message) []*row {
	rows, space := make([]*row, 0, len(batch)), newArena(len(batch))
	for i, m := range batch {
		topic, err := w.topic.Of(m)
		if err != nil {
			w.verdicts[i] = pipeline.Refusedf("no topic can be made for this event: %w", err)
			continue
		}
		r, err := space.add(i, topic, w.Format, m)
		if err != nil {
			w.verdicts[i] = pipeline.Refused(err)
			continue
		}
		rows = append(rows, r)
	}
	return rows
}

// fail gives rows a verdict.
func (w *write) fail(rows []*row, err error) {
	for _, r := range rows {
		w.verdicts[r.at] = err
	}
}

func (w *write) outcome() (o outcome) {
	for _, err := range w.verdicts {
		o.failed = o.failed || err != nil && !pipeline.IsRefused(err)
		o.delivered = o.delivered || err == nil
	}
	return o
}

// shipment is what goes to one partition.
type shipment struct {
	topic     string
	partition int
	leader    string // host:port
	rows      []*row
}

// send ships to all leaders at once, and to the partitions of each in turn: that takes one connection to
// each broker, however many partitions there are, and a broker in trouble holds up no other.
func (w *write) send(ctx context.Context, byLeader map[string][]*shipment) {
	var all sync.WaitGroup
	for _, shipments := range byLeader {
		all.Go(func() {
			var broken error // the leader does not answer: the other partitions need not find out
			for _, s := range shipments {
				if broken != nil {
					w.fail(s.rows, broken)
					continue
				}
				broken = w.ship(ctx, s)
			}
		})
	}
	all.Wait()
}

// ship sends a shipment in requests of bounded size. Where one is to be tried again, so is the rest, for
// nothing may overtake it. The error is not nil where the broker did not answer.
func (w *write) ship(ctx context.Context, s *shipment) (broken error) {
	for rows := s.rows; len(rows) > 0; {
		n := fitting(rows)
		answer := w.deliver(ctx, s, rows[:n])
		if rows = rows[n:]; answer.again != nil {
			w.fail(rows, answer.again)
			return answer.broken()
		}
	}
	return nil
}

// fitting is how many of the rows go into one request.
func fitting(rows []*row) (n int) {
	size := 0
	for n < len(rows) && (n == 0 || size+rows[n].size() <= maxRequest) {
		size += rows[n].size()
		n++
	}
	return n
}

// deliver sends rows and gives each its verdict. What the broker refuses as a whole is halved, until only
// the guilty records are refused and not those beside them; that is one more request each time, and none
// that was taken is sent again.
func (w *write) deliver(ctx context.Context, s *shipment, rows []*row) answer {
	a := w.produce(ctx, s, rows)
	for tries := 0; w.fresh && a.settling && tries < settleTries && pause(ctx, settleStep); tries++ {
		a = w.produce(ctx, s, rows)
	}
	if a.refused == nil {
		w.fail(rows, a.again)
		return a
	}
	if innocent := w.condemn(rows, a.guilty); len(innocent) < len(rows) {
		if len(innocent) == 0 {
			return answer{}
		}
		return w.deliver(ctx, s, innocent)
	}
	if len(rows) == 1 {
		w.fail(rows, pipeline.Refused(a.refused))
		return answer{}
	}
	half := len(rows) / 2
	if first := w.deliver(ctx, s, rows[:half]); first.again != nil {
		w.fail(rows[half:], first.again)
		return first
	}
	return w.deliver(ctx, s, rows[half:])
}

// condemn refuses the records that the broker named, and returns the others.
func (w *write) condemn(rows []*row, guilty map[int]error) (innocent []*row) {
	for i, r := range rows {
		if err := guilty[i]; err != nil {
			w.verdicts[r.at] = pipeline.Refused(err)
			continue
		}
		innocent = append(innocent, r)
	}
	return innocent
}

// produce sends rows in one request.
func (w *write) produce(ctx context.Context, s *shipment, rows []*row) answer {
	if err := w.throttle.wait(ctx); err != nil {
		return answer{again: err, answered: true}
	}
	records, err := encode(rows, w.compression, time.Now())
	if err != nil {
		return answer{again: w.faultf("%v", err), answered: true}
	}
	response, err := w.session.RawProduce(ctx, &kafka.RawProduceRequest{
		Topic: s.topic, Partition: s.partition, RequiredAcks: kafka.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(records)},
	})
	if err != nil {
		return answer{again: w.failed(ctx, s.leader, err)}
	}
	w.throttle.note(response.Throttle)
	return w.judge(s, response)
}
