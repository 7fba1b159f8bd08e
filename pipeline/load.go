package pipeline

import (
	"time"

	"catpaw/store"
)

// share is the part of one lane in what goes into one Write.
type share struct {
	*worker // whose turn it is
	parcels []store.Parcel
}

// pick returns what to try next, nothing while the lane rests; mine is false where another delivers the lane. A batch that
// has room takes what other lanes have: a burst goes in half the requests so, for a seventh less of CPU. One worker picks
// at a time, else each would find the others at it; but not those who must read the file first, whose batches are full as
// a rule.
func (w *worker) pick() (load []share, mine bool) {
	alone := w.queue.Backlog(w.lane)
	if !alone {
		w.picking.Lock()
		defer w.picking.Unlock()
	}
	if !w.turn.try() {
		return nil, false
	}
	if w.rest.Duration > 0 {
		return nil, true
	}
	batch := w.spec.Output.BatchSize()
	parcels := w.take(batch)
	if len(parcels) == 0 {
		return nil, true
	}
	load = []share{{w, parcels}}
	if !alone && w.well() {
		load = w.join(load, batch-len(parcels))
	}
	return load, true
}

// fill is the load, but where it has room and more is just being written, it waits for that. One worker at a time does so;
// the others leave what they have to it, and wait for it: then the load is empty. Each with a lane of its own, they would
// find none to join when more is there, and a burst would go in many small requests.
func (w *worker) fill(load []share) []share {
	room := w.spec.Output.BatchSize()
	if size(load) == room || !w.well() || w.stopping() {
		return load
	}
	coming := w.coming(w.lane)
	if coming == nil {
		return load
	}
	if !w.filling.try() {
		leave(load)
		w.filling.await(w.ctx)
		return nil
	}
	defer w.filling.release()
	w.awaitWritten(coming)
	w.picking.Lock()
	defer w.picking.Unlock()
	full := make([]share, 0, len(load))
	for _, share := range load {
		if share.parcels = share.take(room); len(share.parcels) == 0 { // those before it filled the batch
			share.turn.release()
			continue
		}
		room -= len(share.parcels)
		full = append(full, share)
	}
	return w.join(full, room)
}

// leave lets go of a load that is not delivered now.
func leave(load []share) {
	for _, share := range load {
		share.queue.Return(share.lane)
		share.turn.release()
	}
}

// join adds rows of other lanes that nobody delivers just now, while there is room. A lane that has failed is left to
// itself.
func (w *worker) join(load []share, room int) []share {
	for i := 1; i < len(w.workers) && room > 0; i++ {
		other := w.workers[(w.lane+i)%len(w.workers)]
		if !other.turn.try() {
			continue
		}
		var parcels []store.Parcel
		if other.well() && !w.queue.Backlog(other.lane) {
			parcels = other.take(room)
		}
		if len(parcels) == 0 {
			other.turn.release()
			continue
		}
		load, room = append(load, share{other, parcels}), room-len(parcels)
	}
	return load
}

func size(load []share) (parcels int) {
	for _, share := range load {
		parcels += len(share.parcels)
	}
	return parcels
}

// well says that nothing of a lane failed of late. One that rests without that, as the output's rate limit is used up, goes
// with the next request that may go out.
func (w *worker) well() bool {
	return w.failures == 0 && len(w.suspects)+len(w.waiting) == 0
}

// patience is how long a batch waits for what is being written. No disk that works takes so long.
const patience = 50 * time.Millisecond

// awaitWritten waits for what is being written.
func (w *worker) awaitWritten(coming <-chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-coming:
	case <-timer.C:
	case <-w.drain:
	case <-w.ctx.Done():
	}
}

// deliver writes a load, settles what the sink took or refused, and lets go of the lanes.
func (w *worker) deliver(load []share) {
	parcels := make([]store.Parcel, 0, size(load))
	for _, share := range load {
		parcels = append(parcels, share.parcels...)
	}
	verdicts := w.write(parcels)
	for _, share := range load {
		of := verdicts[:len(share.parcels)]
		verdicts = verdicts[len(of):]
		share.settle(share.lane, share.parcels, of)
		share.rest = share.judge(share.parcels, of)
		share.queue.Return(share.lane)
	}
	for _, share := range load { // all at once: who is first takes what the others have, too
		share.turn.release()
	}
}
