package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"catpaw/store"
)

// OutputSpec is one output, ready to run. Its name is the identity of its queue.
type OutputSpec struct {
	Name        string
	Plugin      string
	Source      string // file:line of the block
	Content     string // hash of everything: a reload leaves an output alone when this is equal
	Timeout     time.Duration
	Concurrency int
	Output      Output
}

// sender brings the rows of one queue to one sink. Each of its workers reads one shard, so that all
// events of one alert go through one worker, in order.
type sender struct {
	spec  *OutputSpec
	log   *zap.Logger
	gone  func()        // called on ErrReaderGone
	drain chan struct{} // closed: deliver what is there, then end
	ctx   context.Context
	abort context.CancelFunc // ends Writes too
	done  chan struct{}      // closed when all workers have ended and the output is closed
	queue *store.Queue       // nil until started
	story story
}

// drainPause is the longest pause between two tries while the agent stops.
const drainPause = 500 * time.Millisecond

// work is one worker's loop.
func (s *sender) work(shard int) {
	failures := 0
	for s.ctx.Err() == nil {
		rows := firstOfEachKey(s.queue.Peek(shard, s.spec.Output.BatchSize()))
		if len(rows) == 0 {
			select {
			case <-s.queue.Wake(shard):
				continue
			case <-s.drain:
				if len(s.queue.Peek(shard, 1)) == 0 {
					return
				}
				continue
			case <-s.ctx.Done():
				return
			}
		}
		settled, retry := s.write(shard, rows)
		s.queue.Remove(shard, settled)
		if retry == nil {
			failures = 0
			s.story.worked(s.log, shard)
			continue
		}
		pause := RetryDelay(retry) // the sink knows best when to come back
		if pause == 0 {
			pause = backoff(failures, jitter)
		}
		if s.stopping() {
			if errors.Is(retry, ErrReaderGone) {
				return
			}
			pause = min(pause, drainPause) // the budget of a stop is short
		}
		if !s.wait(pause) {
			return
		}
		failures++
	}
}

// firstOfEachKey leaves for later what must not overtake: a batch holds one event of an alert, so that
// no verdict on one of them can turn their order round.
func firstOfEachKey(rows []store.Row) []store.Row {
	if len(rows) < 2 {
		return rows
	}
	seen := make(map[string]bool, len(rows))
	first := rows[:0]
	for _, row := range rows {
		if !seen[row.Key] {
			seen[row.Key] = true
			first = append(first, row)
		}
	}
	return first
}

// decode makes messages of rows. A row that cannot be read (it came from a store) is refused at once.
func (s *sender) decode(shard int, rows []store.Row) (messages []*Message, readable []store.Row) {
	messages, readable = make([]*Message, 0, len(rows)), make([]store.Row, 0, len(rows))
	for _, row := range rows {
		message, err := decodeMessage(row.Key, row.Data)
		if err != nil {
			s.refused(row, err)
			s.queue.Remove(shard, []store.Row{row})
			continue
		}
		messages, readable = append(messages, message), append(readable, row)
	}
	return messages, readable
}

// write hands the rows to the output. settled are those delivered or refused, in their order; retry is
// the first verdict "try again", nil where there is none.
func (s *sender) write(shard int, rows []store.Row) (settled []store.Row, retry error) {
	messages, rows := s.decode(shard, rows)
	ctx, cancel := context.WithTimeout(s.ctx, s.spec.Timeout)
	defer cancel()
	verdicts := s.call(ctx, messages)
	for i, row := range rows {
		var err error
		if verdicts != nil {
			err = verdicts[i]
		}
		switch {
		case err == nil:
		case IsRefused(err):
			s.refused(row, err)
		default:
			if retry == nil {
				retry = err
				if s.ctx.Err() == nil { // not when we cut it off ourselves
					s.story.failed(s.log, shard, err)
				}
			}
			if errors.Is(err, ErrReaderGone) {
				s.gone()
			}
			continue
		}
		settled = append(settled, row)
	}
	return settled, retry
}

// call is Write with its faults made into verdicts: a panic, and a wrong number of verdicts.
func (s *sender) call(ctx context.Context, messages []*Message) (verdicts []error) {
	defer func() {
		if value := recover(); value != nil {
			s.log.Error("the output panicked; please report this", zap.Any("panic", value), zap.ByteString("stack", debug.Stack()))
			verdicts = Verdict(len(messages), fmt.Errorf("the output panicked: %v", value))
		}
	}()
	if len(messages) == 0 {
		return nil
	}
	verdicts = s.spec.Output.Write(ctx, messages)
	if verdicts != nil && len(verdicts) != len(messages) {
		return Verdict(len(messages), fmt.Errorf("the output gave %d verdicts on %d events", len(verdicts), len(messages)))
	}
	return verdicts
}

func (s *sender) refused(row store.Row, err error) {
	s.log.Error("the sink refused an event for good; it is dropped", zap.String("alert_key", row.Key), zap.Error(err))
}

func (s *sender) stopping() bool {
	select {
	case <-s.drain:
		return true
	default:
		return false
	}
}

// wait sleeps, at most until the agent begins to stop; it returns false when the sender is to end.
func (s *sender) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	drain := s.drain
	if s.stopping() {
		drain = nil
	}
	select {
	case <-timer.C:
		return true
	case <-drain: // a long wait is over when the agent stops
		return true
	case <-s.ctx.Done():
		return false
	}
}
