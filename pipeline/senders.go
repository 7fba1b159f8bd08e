package pipeline

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"
)

// senders holds the running sender of each output.
type senders struct {
	store Store
	log   *zap.Logger
	gone  func()

	mu     sync.Mutex
	byName map[string]*sender
}

func newSenders(s Store, log *zap.Logger, gone func()) *senders {
	if gone == nil {
		gone = func() {}
	}
	return &senders{store: s, log: log, gone: gone, byName: map[string]*sender{}}
}

// apply ends the senders of outputs that are gone or changed and starts those that are new. It waits
// for none of them: a changed output starts when its predecessor's last Write has returned.
func (s *senders) apply(outputs []*OutputSpec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := make(map[string]*OutputSpec, len(outputs))
	for _, spec := range outputs {
		wanted[spec.Name] = spec
	}
	for name, old := range s.byName {
		if wanted[name] == nil {
			delete(s.byName, name)
			old.abort()
			if n := s.store.Drop(name); n > 0 {
				old.log.Warn("the output was removed from the configuration with notifications in its queue", zap.Int("dropped", n))
			}
		}
	}
	for _, spec := range outputs {
		old := s.byName[spec.Name]
		if old != nil && old.spec.Content == spec.Content {
			continue
		}
		s.byName[spec.Name] = s.start(spec, old)
	}
}

// start makes a sender that begins when its predecessor (or nil) has ended. Its queue exists at once.
func (s *senders) start(spec *OutputSpec, previous *sender) *sender {
	ctx, abort := context.WithCancel(context.Background())
	next := &sender{
		spec: spec, gone: s.gone, ctx: ctx, abort: abort,
		drain: make(chan struct{}), done: make(chan struct{}),
		log: s.log.With(zap.String("output", spec.Name)),
	}
	if previous == nil {
		next.queue = s.store.Open(spec.Name, spec.Concurrency)
	} else {
		previous.abort()
	}
	go func() {
		defer close(next.done)
		if previous != nil {
			<-previous.done
			next.queue = s.store.Open(spec.Name, spec.Concurrency)
		}
		next.run()
	}()
	return next
}

// run starts the workers, waits for them and closes the output.
func (s *sender) run() {
	ctx, cancel := context.WithCancel(s.ctx)
	var workers, watch sync.WaitGroup
	if watcher, ok := s.spec.Output.(Watcher); ok {
		watch.Go(func() {
			if errors.Is(watcher.Watch(ctx), ErrReaderGone) {
				s.gone()
			}
		})
	}
	for shard := range s.spec.Concurrency {
		workers.Go(func() { s.work(shard) })
	}
	workers.Wait()
	cancel()
	watch.Wait()
	if err := s.spec.Output.Close(); err != nil {
		s.log.Warn("closing the output failed", zap.Error(err))
	}
}

// stop lets every sender deliver what is in its queue until ctx ends, then aborts it. It returns how
// many notifications are left.
func (s *senders) stop(ctx context.Context) (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.byName {
		close(one.drain)
	}
	for name, one := range s.byName {
		select {
		case <-one.done:
		case <-ctx.Done():
			one.abort()
			<-one.done
		}
		one.abort()
		if n := s.store.Drop(name); n > 0 {
			one.log.Warn("notifications were left undelivered", zap.Int("events", n))
			left += n
		}
	}
	return left
}
