package agent

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync"
	"time"
)

const (
	// calmGC is the GC percentage of an agent that has little to tell: with 1,000 checks it takes 2 MiB less
	// than with Go's usual 100, and no CPU that could be measured.
	calmGC = 50
	// burstGC is the least GC percentage while a burst of notifications is handled. 160,000 of them go to a webhook in
	// batches in 1.0 s with it and in 1.15 s with the usual 100, for 350 MiB instead of 280 for a moment.
	burstGC = 200
	// burstRoom is how many bytes a burst may take between two collections, at least: a small heap would be collected
	// again and again while it grows. 10,000 events take a seventh less of CPU so.
	burstRoom = 48 << 20
	// calmAfter is when a burst counts as over: then the memory it took is given back.
	calmAfter = 2 * time.Second
	// patience is how long that waits for an end of many results.
	patience = time.Minute
)

// bursts has the garbage collector, which the whole process shares, run less often while much is told at
// once.
type bursts struct {
	live  func() uint64 // bytes of which the percentage is taken
	usual int           // GC percentage when all is calm

	mu       sync.Mutex
	frees    []func()    // give memory back
	timer    *time.Timer // nil while all is calm
	last     time.Time   // that much was told
	many     time.Time   // when many results were handled last
	watching bool        // the next collection
}

// newBursts begins with a burst, which a start is; after it all is calm, unless the user says otherwise with GOGC.
func newBursts() *bursts {
	go limitMemory() // it takes a millisecond to find out, which no start need wait for
	b := &bursts{live: liveBytes, usual: calmGC, frees: []func(){debug.FreeOSMemory, forgetPages}}
	// Not calmGC, not for a moment: what Go's packages make when they are loaded is enough for a collection then, 0.7 ms.
	if now := debug.SetGCPercent(-1); os.Getenv("GOGC") != "" {
		b.usual = now
	}
	b.goesOn()
	return b
}

// goesOn is called for every large batch, by the goroutine that decides: it must not wait for a collection.
func (b *bursts) goesOn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = time.Now()
	if b.timer != nil {
		b.timer.Reset(calmAfter)
		return
	}
	b.timer = time.AfterFunc(calmAfter, b.over)
	b.adapt()
	if !b.watching {
		b.watching = true
		b.watch()
	}
}

// adapt sets the GC percentage of a burst, by what is live now. No heap counts as smaller than 4 MiB.
func (b *bursts) adapt() {
	percent := max(burstGC, int(100*burstRoom/max(b.live(), 4<<20)))
	if b.usual < 0 || b.usual > percent { // the user asked for more, with GOGC
		percent = b.usual
	}
	debug.SetGCPercent(percent)
}

// watch has the percentage adapted after each collection of a burst: what was right for the heap before would let the
// one that it left grow without bounds.
func (b *bursts) watch() {
	type dropped struct{ _ [64]byte } // is found to be so by the next collection
	runtime.AddCleanup(new(dropped), func(b *bursts) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.watching = b.timer != nil; b.watching {
			b.adapt()
			b.watch()
		}
	}, b)
}

// liveBytes is of what the GC percentage is taken (https://go.dev/doc/gc-guide): what the last collection left, stacks
// and globals.
func liveBytes() (sum uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		sum += s.Value.Uint64()
	}
	return sum
}

// handlesMany is called for every large batch of results, by the goroutine that decides.
func (b *bursts) handlesMany() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.many = time.Now()
}

// over gives back the memory that a burst took. One that begins meanwhile is another.
func (b *bursts) over() {
	if b.calm(calmAfter) {
		b.giveBack(time.Now().Add(patience))
	}
}

// giveBack waits, but not for ever, until results come no more in large batches: what these take after it would stay.
// After a start with a million alerts the first run of their check left 40 to 90 MB so.
func (b *bursts) giveBack(latest time.Time) {
	b.mu.Lock()
	wait := min(calmAfter-time.Since(b.many), time.Until(latest))
	another := b.timer != nil
	frees := slices.Clone(b.frees)
	b.mu.Unlock()
	switch {
	case another: // it gives back with its own what this one took
	case wait > 0:
		time.AfterFunc(wait, func() { b.giveBack(latest) })
	default:
		for _, free := range frees {
			free()
		}
	}
}

// free has f called, too, when a burst is over.
func (b *bursts) free(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frees = append(b.frees, f)
}

// calm ends a burst that told nothing for so long; false where there is none. A timer that fires just when the burst
// goes on finds that it does.
func (b *bursts) calm(quiet time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer == nil || time.Since(b.last) < quiet {
		return false
	}
	b.timer.Stop()
	b.timer = nil
	debug.SetGCPercent(b.usual)
	return true
}
