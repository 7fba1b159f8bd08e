package pipeline

import (
	"sync"
	"time"

	"catpaw/store"
)

// worker delivers the rows of one lane, and those of others where its batch has room. After a failure a lane pauses, ever
// longer, for the sink may be down. When it fails again, the next try is with other alerts: where those get through, it is
// not the sink but the event, which then waits on its own and holds up nobody.
type worker struct {
	*sender
	lane int

	// turn is held by who delivers the lane, from taking rows until they are judged: so events of an alert stay in order.
	// It guards what follows.
	turn     token
	failures int             // tries in a row of which nothing got through
	parts    int             // how small a part of a batch is tried, since all there was had failed together; 0 = all of it
	asked    bool            // the last failure said when to come back: it is the sink
	suspects map[string]bool // alert keys that failed since something last got through
	waiting  map[string]wait // alert keys that fail while others get through
	rest     pause           // before the next try
}

// wait is that of an alert key.
type wait struct {
	failures int
	until    time.Time
	over     bool  // it failed while the agent stops, too: the next start tries again
	passed   int64 // what the sender's passed was when it failed last
	alone    int   // how often it failed again though others had got through meanwhile
}

// proven says that it is not the sink that does not take the key. What failed in an outage waits, too, once something
// gets through; it only has to wait its turn.
func (w wait) proven() bool {
	const (
		sure = 4  // a sink that fails at random is not that often wrong about one key
		long = 10 // some minutes, in which perhaps there was no other to try
	)
	return w.alone >= sure || w.failures >= long
}

// pause is how long a lane is to wait, and whether the sink asked for that.
type pause struct {
	time.Duration
	asked bool
}

func newWorker(s *sender, lane int) *worker {
	return &worker{sender: s, lane: lane, suspects: map[string]bool{}, waiting: map[string]wait{}}
}

// work is one worker's loop.
func (w *worker) work() {
	for w.ctx.Err() == nil {
		load, mine := w.pick()
		if !mine { // another delivers the lane
			w.turn.await(w.ctx)
			continue
		}
		if len(load) > 0 {
			if load = w.fill(load); len(load) > 0 {
				w.deliver(load)
			}
			continue
		}
		wait := w.lull()
		w.turn.release()
		if w.stopping() || !wait() {
			return // what is left is in the queue for the next start
		}
	}
}

// take returns what to try next, so many at most.
func (w *worker) take(batch int) []store.Parcel {
	late := time.Now().Add(-lateAfter).Unix()
	if len(w.suspects)+len(w.waiting) == 0 {
		return w.queue.Take(w.lane, batch, late, nil)
	}
	if len(w.waiting) > 0 {
		w.queue.Thin(w.lane, func(key string) bool { return w.waiting[key].proven() })
	}
	now := time.Now()
	waits := func(key string) bool {
		wait, ok := w.waiting[key]
		return ok && (wait.over || now.Before(wait.until) && !w.stopping())
	}
	const twice = 2 // a sink that is down says so twice before other events are tried
	if w.failures >= twice {
		parcels := w.queue.Take(w.lane, w.part(batch), late, func(key string) bool { return w.suspects[key] || waits(key) })
		if len(parcels) > 0 {
			return parcels
		}
		clear(w.suspects) // all failed: it is the sink, or one of those that went together
		if !w.asked {
			w.parts++
		}
		batch = w.part(batch)
	}
	return w.queue.Take(w.lane, batch, late, waits)
}

// part is how many are tried at once when all have failed that there are: where a sink answers a whole batch with an error
// for one event in it, no others are left that would get through. Four tries find one among a thousand.
func (w *worker) part(batch int) int {
	const eighth = 3 // bits
	if all, ok := w.spec.Output.(AllOrNone); !ok || !all.AllOrNone() {
		return batch
	}
	return max(1, batch>>min(eighth*w.parts, 30))
}

// outcome is what became of parcels, by their alert keys.
type outcome struct {
	delivered, refused int
	failed, again      []string // of which nothing was known before, and what has failed before
	worst              error    // of those that asks for the longest wait
	paced              time.Duration
}

// outcomeOf sums the verdicts up. What is settled needs not wait any more.
func (w *worker) outcomeOf(parcels []store.Parcel, verdicts []error) (o outcome) {
	for i, err := range verdicts {
		key := parcels[i].Last().Key
		if IsPaced(err) {
			o.paced = max(o.paced, RetryDelay(err))
			continue
		}
		if err == nil || IsRefused(err) {
			delete(w.waiting, key)
			delete(w.suspects, key)
			if err == nil {
				o.delivered++
			} else {
				o.refused++
			}
			continue
		}
		if _, known := w.waiting[key]; known {
			o.again = append(o.again, key)
		} else {
			o.failed = append(o.failed, key)
		}
		if o.worst == nil || RetryDelay(err) > RetryDelay(o.worst) {
			o.worst = err
		}
	}
	return o
}

// judge draws the conclusions from the verdicts and returns how long the lane is to pause.
func (w *worker) judge(parcels []store.Parcel, verdicts []error) pause {
	o := w.outcomeOf(parcels, verdicts)
	if o.worst != nil && w.ctx.Err() == nil { // not when we cut it off ourselves
		w.story.failed(w.log, w.lane, o.worst)
	}
	for _, key := range o.failed {
		w.suspects[key] = true
	}
	got := o.delivered+o.refused > 0
	if got {
		w.passed.Add(1)
	}
	for _, key := range o.again {
		w.putOff(key)
	}
	if got {
		w.through()
		w.story.judged(w.log, w.lane, o.worst == nil && len(w.waiting) == 0, o.delivered, o.refused)
	}
	if o.paced > 0 && len(o.failed) == 0 {
		return pause{o.paced, true}
	}
	asked := pause{RetryDelay(o.worst), true} // the sink knows best when to come back
	if got || len(o.failed) == 0 {            // what is known to fail by itself says nothing about the sink
		return asked
	}
	w.failures++
	w.asked = asked.Duration > 0
	if w.asked {
		return asked
	}
	if w.parts > 0 {
		w.parts++
	}
	return pause{Duration: backoff(w.failures-1, jitter)}
}

// through notes that something got through: what failed did so by itself.
func (w *worker) through() {
	if w.failures > 0 { // the sink is back: the other workers need not sleep on
		w.revival.announce()
	}
	w.failures, w.parts = 0, 0
	for key := range w.suspects {
		w.putOff(key)
	}
	clear(w.suspects)
}

// putOff has a key wait on its own.
func (w *worker) putOff(key string) {
	wait, passed := w.waiting[key], w.passed.Load()
	if wait.failures > 0 && passed > wait.passed {
		wait.alone++
	}
	wait.passed = passed
	wait.until = time.Now().Add(backoff(wait.failures, jitter))
	wait.failures++
	wait.over = w.stopping()
	w.waiting[key] = wait
}

// lull returns how to wait when there is nothing to try now: the lane rests, or has only what is due later, or nothing.
// Waiting returns false when the worker is to end.
func (w *worker) lull() (wait func() bool) {
	if rest := w.rest; rest.Duration > 0 {
		w.rest = pause{}
		return func() bool { return w.pause(rest) }
	}
	var due time.Time
	if len(w.waiting) > 0 {
		due = w.nextDue()
	} else {
		clear(w.suspects)
		w.story.emptied(w.log, w.lane)
	}
	return func() bool { return w.idle(due) }
}

// idle waits for something to do; it returns false when the worker is to end.
func (w *worker) idle(due time.Time) bool {
	var again <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-w.queue.Wake(w.lane):
	case <-again:
	case <-w.drain:
	case <-w.ctx.Done():
		return false
	}
	return true
}

// nextDue is when the first of the waiting keys may be tried again. Keys whose rows are gone from the
// queue are forgotten on the way.
func (w *worker) nextDue() (next time.Time) {
	now := time.Now()
	for key, wait := range w.waiting {
		if !now.Before(wait.until) { // nothing was there to try
			delete(w.waiting, key)
			continue
		}
		if next.IsZero() || wait.until.Before(next) {
			next = wait.until
		}
	}
	if next.IsZero() {
		next = now
	}
	return next
}

// pause sleeps; when another worker gets through, or the agent begins to stop, there is a try at once. It
// returns false when the worker is to end.
func (w *worker) pause(p pause) bool {
	w.story.pausing(w.lane, time.Now().Add(p.Duration))
	revived := w.revival.next()
	if p.asked {
		revived = nil
	}
	timer := time.NewTimer(p.Duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-revived:
		return true
	case <-w.drain:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// revival tells all workers of an output that one of them got through. The zero value is ready.
type revival struct {
	mu   sync.Mutex
	news chan struct{}
}

// next is closed at the next announcement.
func (r *revival) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news == nil {
		r.news = make(chan struct{})
	}
	return r.news
}

func (r *revival) announce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news != nil {
		close(r.news)
		r.news = nil
	}
}
