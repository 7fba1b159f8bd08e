package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"catpaw/store"
)

// abortBudget is how long a Write may take to notice that it is broken off.
const abortBudget = 2 * time.Second

// senders holds the running sender of each output.
type senders struct {
	store *store.Store
	log   *zap.Logger
	gone  func()
	burst func() // much was delivered at once

	mu      sync.Mutex
	byName  map[string]*sender
	leaving map[string]*sender // removed, perhaps still in a Write
	stopped bool               // none starts any more
}

func newSenders(s *store.Store, log *zap.Logger, gone, burst func()) *senders {
	return &senders{store: s, log: log, gone: orNothing(gone), burst: orNothing(burst), byName: map[string]*sender{}, leaving: map[string]*sender{}}
}

// orNothing is a function that can be called.
func orNothing(f func()) func() {
	if f == nil {
		return func() {}
	}
	return f
}

// apply ends the senders of outputs that are gone or changed and starts those that are new. It waits
// for none of them: a changed output starts when its predecessor's last Write has returned. It returns
// those that it starts; once stopped it starts none.
func (s *senders) apply(outputs []*OutputSpec) (started []*OutputSpec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	wanted := make(map[string]*OutputSpec, len(outputs))
	for _, spec := range outputs {
		wanted[spec.Name] = spec
	}
	for name, old := range s.byName {
		if wanted[name] == nil {
			delete(s.byName, name)
			s.leave(name, old)
			old.abort()
			s.store.Release(name)
		}
	}
	for _, spec := range outputs {
		old := s.byName[spec.Name]
		if old != nil && old.spec.Content == spec.Content {
			continue
		}
		if old == nil {
			old = s.leaving[spec.Name]
			delete(s.leaving, spec.Name)
		}
		s.byName[spec.Name] = s.start(spec, old)
		started = append(started, spec)
	}
	return started
}

// start makes a sender that begins when its predecessor (or nil) has ended. Its queue takes rows at once.
func (s *senders) start(spec *OutputSpec, previous *sender) *sender {
	ctx, abort := context.WithCancel(context.Background())
	next := &sender{
		spec: spec, gone: s.gone, burst: s.burst, ctx: ctx, abort: abort,
		drain: make(chan struct{}), done: make(chan struct{}),
		log: s.log.With(zap.String("output", spec.Name)),
	}
	if previous == nil {
		next.queue = s.store.Open(spec.Name, spec.limits())
	} else {
		previous.abort()
		s.store.Claim(spec.Name)
	}
	go func() {
		defer close(next.done)
		if previous != nil {
			<-previous.done
			next.queue = s.store.Open(spec.Name, spec.limits())
		}
		next.run()
	}()
	return next
}

// run starts the workers, waits for them and closes the output.
func (s *sender) run() {
	if s.coming == nil { // as always but in tests
		s.coming = s.queue.Coming
	}
	ctx, cancel := context.WithCancel(s.ctx)
	var workers, watch sync.WaitGroup
	if watcher, ok := s.spec.Output.(Watcher); ok {
		watch.Go(func() {
			if errors.Is(watcher.Watch(ctx), ErrReaderGone) {
				s.gone()
			}
		})
	}
	for lane := range s.queue.Lanes() {
		s.workers = append(s.workers, newWorker(s, lane))
	}
	for _, w := range s.workers {
		workers.Go(w.work)
	}
	workers.Wait()
	cancel()
	watch.Wait()
	if err := s.spec.Output.Close(); err != nil {
		s.log.Warn("closing the output failed", zap.Error(err))
	}
}

// health is how each output is doing, by name.
func (s *senders) health() map[string]Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]Health, len(s.byName))
	for name, one := range s.byName {
		all[name] = one.story.health()
	}
	return all
}

// forgive notes that nothing is left of what an output did not deliver.
func (s *senders) forgive(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.byName[name]; one != nil {
		one.story.forgiven(one.log)
	}
}

// leave remembers a removed sender until its last Write has returned.
func (s *senders) leave(name string, old *sender) {
	s.leaving[name] = old
	go func() {
		<-old.done
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.leaving[name] == old {
			delete(s.leaving, name)
		}
	}()
}

// stop lets every sender deliver what is in its queue until ctx ends, then aborts them all. One that does
// not end even then is left behind.
func (s *senders) stop(ctx context.Context) {
	all := s.last()
	for _, one := range all {
		one.close.Do(func() { close(one.drain) })
	}
	ended := make(chan struct{})
	go func() {
		for _, one := range all {
			<-one.done
		}
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	for _, one := range all {
		one.abort()
	}
	select {
	case <-ended:
	case <-time.After(abortBudget):
	}
	for _, one := range all {
		one.farewell()
	}
}

// last are the senders that run or have yet to end; none starts any more.
func (s *senders) last() (all []*sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, one := range s.byName {
		all = append(all, one)
	}
	for _, one := range s.leaving {
		all = append(all, one)
	}
	return all
}

// farewell logs what a sender leaves undone.
func (s *sender) farewell() {
	select {
	case <-s.done:
	default:
		s.log.Error("the output does not stop and is left behind; please report this")
		return
	}
	if n := s.queue.Len(); n > 0 {
		s.log.Warn("notifications are left in the queue", zap.Int("events", n))
	}
}
