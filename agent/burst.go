package agent

import (
	"os"
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
	// burstGC is the GC percentage while a burst of notifications is handled. 100,000 of them take 0.72 s
	// with it and 0.88 s with the usual 100, for 228 MiB instead of 184 for a moment; 400 would win no
	// more and take 340.
	burstGC = 200
	// burstRoom is how many bytes a burst may take between two collections, at least: a small heap would be collected
	// again and again while it grows. 10,000 events take a seventh less of CPU so.
	burstRoom = 48 << 20
	// calmAfter is when a burst counts as over: then the memory it took is given back.
	calmAfter = 2 * time.Second
)

// bursts has the garbage collector, which the whole process shares, run less often while much is told at
// once.
type bursts struct {
	live func() uint64 // bytes that the last collection left

	mu    sync.Mutex
	frees []func()    // give memory back
	usual int         // GC percentage when all is calm
	now   int         // GC percentage in the burst
	timer *time.Timer // nil while all is calm
	last  time.Time   // that much was told
}

// newBursts begins with a burst, which a start is; after it all is calm, unless the user says otherwise with GOGC.
func newBursts() *bursts {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(calmGC)
	}
	b := &bursts{live: liveHeap, frees: []func(){debug.FreeOSMemory, forgetPages}}
	b.goesOn()
	return b
}

// goesOn is called for every large batch, by the goroutine that decides: it must not wait for a collection.
func (b *bursts) goesOn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = time.Now()
	if b.timer == nil {
		b.usual = debug.SetGCPercent(-1)
		b.now = -1
		b.timer = time.AfterFunc(calmAfter, b.over)
	} else {
		b.timer.Reset(calmAfter)
	}
	percent := max(burstGC, int(100*burstRoom/max(b.live(), 1<<20)))
	if b.usual < 0 || b.usual > percent { // the user asked for more, with GOGC
		percent = b.usual
	}
	if percent != b.now { // setting it stops the world for a moment
		debug.SetGCPercent(percent)
		b.now = percent
	}
}

// liveHeap is what the last collection left, 0 before the first.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// over gives back the memory that a burst took. One that begins meanwhile is another.
func (b *bursts) over() {
	if !b.calm(calmAfter) {
		return
	}
	b.mu.Lock()
	frees := slices.Clone(b.frees)
	b.mu.Unlock()
	for _, free := range frees {
		free()
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
