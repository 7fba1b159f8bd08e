// Package pipeline holds the words that the plugins speak (Event, Check, Input, Processor, Output) and
// the machinery that drives them:
//
//	tick ─► Input.Gather ─► results ═══► processors ─► COMMIT ─┬► queue A ─► sender A ─► sink
//	        (scheduler.go,  (a channel)  (one goroutine,       ├► queue B ─► sender B ─► sink
//	         runner.go)                   a batch at a time;   └► …  (sender.go)
//	                                      pipeline.go, commit.go)
//
// Everything left of COMMIT is a thought that the next tick can think again; everything right of it is
// a promise. Stopping goes the same way: first the ticks end, then what was reported is decided and
// committed, then the senders get a moment for what is in their queues.
package pipeline

import (
	"context"
	"time"

	"go.uber.org/zap"

	"catpaw/store"
)

// A batch, handled and committed in one go, ends at so many results or so many bytes of text.
const (
	batchSize  = 1000
	batchBytes = 1 << 20
	// muchAtOnce events to tell, or delivered, are a burst.
	muchAtOnce = batchSize / 4
)

// Pipeline runs checks and delivers what they give rise to. Apply, Do and Stop may be called from any
// goroutine; Apply by one at a time.
type Pipeline struct {
	log        *zap.Logger
	processors []Processor
	results    chan []Result
	control    chan func()
	finish     chan struct{} // closed: decide what is waiting, then end
	processed  chan struct{} // closed when the processing goroutine has ended
	scheduler  *scheduler
	committer  *committer
	batch      Batch // of the processing goroutine, used again
	onBurst    func()
	onMany     func()
	open       func(output string) []*Event
	senders    *senders
}

// Config is what a pipeline is made of.
type Config struct {
	Log        *zap.Logger
	Store      *store.Store
	Processors []Processor // in order; the last decides what must be told
	// OnReaderGone (or nil) is called when an output says ErrReaderGone.
	OnReaderGone func()
	// Open (or nil) returns the open alerts that an output was told of, as they were told last. It is
	// called in the processing goroutine.
	Open func(output string) []*Event
	// OnBurst (or nil) is called for every batch that has much to tell, and for every Write that delivered
	// much. It must be safe for concurrent use.
	OnBurst func()
	// OnMany (or nil) is called in the processing goroutine for every batch of many results, told or not.
	OnMany func()
}

// New makes a pipeline and starts its processing goroutine. It runs nothing until Apply.
func New(c Config) *Pipeline {
	p := &Pipeline{
		log:        c.Log,
		processors: c.Processors,
		results:    make(chan []Result, batchSize),
		control:    make(chan func()),
		finish:     make(chan struct{}),
		processed:  make(chan struct{}),
		committer:  newCommitter(c.Store),
		onBurst:    orNothing(c.OnBurst),
		onMany:     orNothing(c.OnMany),
		open:       c.Open,
		senders:    newSenders(c.Store, c.Log, c.OnReaderGone, c.OnBurst),
	}
	p.scheduler = newScheduler(p.results, c.Store.Memo, c.Log)
	go p.process()
	return p
}

// Apply makes these checks and outputs the running ones. What did not change goes on untouched; the
// rest is stopped and started. prepare (or nil) runs first, in the processing goroutine, between two batches.
// After Stop it does nothing.
func (p *Pipeline) Apply(checks []*Check, outputs []*OutputSpec, prepare func()) {
	started := p.senders.apply(outputs)
	p.Do(func(*Batch) {
		p.committer.route(outputs)
		if prepare != nil {
			prepare()
		}
		p.remind(started)
	})
	p.scheduler.apply(checks)
}

// remind tells outputs that were started of the open alerts.
func (p *Pipeline) remind(started []*OutputSpec) {
	for _, spec := range started {
		if mindful, ok := spec.Output.(Mindful); ok && p.open != nil {
			mindful.Remind(func() (open []*Event) {
				p.Do(func(*Batch) { open = p.open(spec.Name) })
				return open
			})
		}
	}
}

// Do runs f in the processing goroutine, between two batches, and waits for it. It is how anything
// that processors keep is read or changed from outside; what f puts into the batch, and what its change
// gives rise to, is decided and committed. After Stop it does nothing.
func (p *Pipeline) Do(f func(*Batch)) {
	done := make(chan struct{})
	select {
	case p.control <- func() {
		b := &Batch{Now: time.Now()}
		f(b)
		p.handle(b)
		close(done)
	}:
		<-done
	case <-p.processed:
	}
}

// process is the single goroutine that decides.
func (p *Pipeline) process() {
	defer close(p.processed)
	for {
		select {
		case results := <-p.results:
			p.handle(p.collect(results))
		case f := <-p.control:
			f()
		case <-p.finish:
			for len(p.results) > 0 {
				p.handle(p.collect(<-p.results))
			}
			return
		}
	}
}

// collect takes all that is waiting behind the first results.
func (p *Pipeline) collect(first []Result) *Batch {
	b := &p.batch
	b.reset(time.Now())
	bytes := b.add(first)
	for len(b.Results) < batchSize && bytes < batchBytes {
		select {
		case results := <-p.results:
			bytes += b.add(results)
		default:
			return b
		}
	}
	return b
}

// add appends results and returns about how many bytes they are.
func (b *Batch) add(results []Result) (bytes int) {
	b.Results = append(b.Results, results...)
	for i := range results {
		if event := results[i].Event; event != nil {
			bytes += len(event.Description)
		}
	}
	return bytes
}

func (p *Pipeline) handle(b *Batch) {
	for _, processor := range p.processors {
		processor.Process(b)
	}
	if len(b.Results) > muchAtOnce {
		p.onMany()
	}
	if len(b.Notify) > muchAtOnce {
		p.onBurst()
	}
	p.committer.commit(b)
}

// Health is how each output is doing, by name.
func (p *Pipeline) Health() map[string]Health { return p.senders.health() }

// Forgive tells that by hand nothing is left of what an output did not deliver: no event waits, no dead letter is kept.
func (p *Pipeline) Forgive(output string) { p.senders.forgive(output) }

// Stop ends everything: checks at once, with the processes they started; then what they had reported
// is decided and committed; then the senders deliver what they can until ctx ends. What is left stays
// in the queues. The store is the caller's to close.
func (p *Pipeline) Stop(ctx context.Context) {
	p.scheduler.stop()
	close(p.finish)
	<-p.processed
	p.senders.stop(ctx)
}
