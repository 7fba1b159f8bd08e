package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
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
	MaxEvents   int   // in the queue, before events are merged by alert
	MaxBytes    int64 // likewise
	Route       Route
	Output      Output
}

// Called is the kind of the output and its name, where that is another.
func (o *OutputSpec) Called() string {
	if o.Name == o.Plugin || o.Plugin == "" {
		return o.Name
	}
	return o.Plugin + " " + o.Name
}

// limits are those of the output's queue.
func (o *OutputSpec) limits() store.Limits {
	const few = 64    // rows: enough to have the next at hand, and to see past a key that must wait
	const many = 2000 // of all lanes, or of each of an output that tells slowly: what is over by now is to be seen among what waits
	window := max(few, 2*o.Output.BatchSize(), many/o.Concurrency)
	terse, ok := o.Output.(Terse)
	if ok && terse.Terse() {
		window = many
	}
	return store.Limits{
		Lanes: o.Concurrency, Window: window, MaxEvents: o.MaxEvents, MaxBytes: o.MaxBytes,
		Brief: ok && terse.Terse(),
	}
}

// sender brings the rows of one queue to one sink. All events of one alert are in one lane, which one
// worker at a time delivers: so they stay in order.
type sender struct {
	spec  *OutputSpec
	log   *zap.Logger
	gone  func()        // called on ErrReaderGone
	burst func()        // called when much was delivered at once
	drain chan struct{} // closed: deliver what is there, then end
	close sync.Once     // of drain
	ctx   context.Context
	abort context.CancelFunc // ends Writes too
	done  chan struct{}      // closed when all workers have ended and the output is closed
	queue *store.Queue       // nil until started
	story story

	workers []*worker                      // by lane
	passed  atomic.Int64                   // Writes of which something got through
	picking sync.Mutex                     // held by the worker that picks what it delivers next
	filling token                          // held by the worker that waits for what is just being written
	coming  func(lane int) <-chan struct{} // the queue's Coming
	revival revival
}

// write hands parcels to the output and returns the verdict on each.
func (s *sender) write(parcels []store.Parcel) []error {
	verdicts := make([]error, len(parcels))
	messages := make([]*Message, 0, len(parcels))
	at := make([]int, 0, len(parcels)) // the parcel of each message
	assemble := assembler{now: time.Now()}
	for i, parcel := range parcels {
		message, err := assemble.message(parcel)
		if err != nil {
			verdicts[i] = Refused(err)
			continue
		}
		messages, at = append(messages, message), append(at, i)
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.spec.Timeout)
	defer cancel()
	for i, err := range s.call(ctx, messages) {
		verdicts[at[i]] = err
	}
	if delivered(verdicts) > muchAtOnce {
		s.burst()
	}
	return verdicts
}

func delivered(verdicts []error) (n int) {
	for _, err := range verdicts {
		if err == nil {
			n++
		}
	}
	return n
}

// settle ends the parcels of a lane that the sink took or refused.
func (s *sender) settle(lane int, parcels []store.Parcel, verdicts []error) {
	if delivered(verdicts) == len(parcels) { // as a rule
		s.queue.Settle(lane, parcels, "")
		return
	}
	var taken []store.Parcel
	for i, err := range verdicts {
		switch {
		case err == nil:
			taken = append(taken, parcels[i])
		case IsRefused(err):
			s.queue.Settle(lane, parcels[i:i+1], err.Error())
			s.story.refuses(s.log, parcels[i].Last().Key, err)
		case errors.Is(err, ErrReaderGone):
			s.gone()
		}
	}
	if len(taken) > 0 {
		s.queue.Settle(lane, taken, "")
	}
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

func (s *sender) stopping() bool {
	select {
	case <-s.drain:
		return true
	default:
		return false
	}
}
