package agent

import (
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The tests here are not parallel: the percentage is that of the whole process.

// gcPercent is as set now.
func gcPercent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

// withGC runs a test with a GC percentage, and in synthetic time.
func withGC(t *testing.T, percent int, test func(t *testing.T)) {
	t.Helper()
	usual := debug.SetGCPercent(percent)
	defer debug.SetGCPercent(usual)
	synctest.Test(t, test)
}

// counted counts how often memory is freed.
func counted() (b *bursts, freed *atomic.Int32) {
	freed = &atomic.Int32{}
	return &bursts{live: func() uint64 { return burstRoom }, usual: gcPercent(), frees: []func(){func() { freed.Add(1) }}}, freed
}

// expect waits and looks.
func expect(t *testing.T, after time.Duration, percent int, freed *atomic.Int32, times int32) {
	t.Helper()
	time.Sleep(after)
	synctest.Wait()
	if got := gcPercent(); got != percent || freed.Load() != times {
		t.Errorf("GC percentage %d, want %d; freed %d times, want %d", got, percent, freed.Load(), times)
	}
}

func TestTheCollectorRestsInABurst(t *testing.T) {
	for usual, in := range map[int]int{100: burstGC, 50: burstGC, 500: 500, -1: -1} { // who asks for more keeps it
		withGC(t, usual, func(t *testing.T) {
			b, freed := counted()
			for range 3 {
				b.goesOn()
				expect(t, calmAfter-time.Millisecond, in, freed, 0)
			}
			expect(t, time.Minute, usual, freed, 1)
		})
	}
}

// TestASmallHeapIsNotCollectedAgainAndAgain while it grows.
func TestASmallHeapIsNotCollectedAgainAndAgain(t *testing.T) {
	for live, want := range map[uint64]int{0: 1200, 4 << 20: 1200, 12 << 20: 400, 100 << 20: burstGC} {
		withGC(t, 50, func(t *testing.T) {
			b, freed := counted()
			b.live = func() uint64 { return live }
			b.goesOn()
			expect(t, time.Second, want, freed, 0)
			expect(t, time.Minute, 50, freed, 1)
		})
	}
	if runtime.GC(); liveBytes() < 1<<20 { // tables of the program alone are more
		t.Errorf("the runtime tells of %d bytes", liveBytes())
	}
}

// TestEveryCollectionIsHeeded, as long as the burst goes on: the heap has grown.
func TestEveryCollectionIsHeeded(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	var live atomic.Uint64
	b := &bursts{live: live.Load, usual: 50}
	collected := func(megabytes uint64, want int) {
		t.Helper()
		live.Store(megabytes << 20)
		for deadline := time.Now().Add(time.Minute); gcPercent() != want; time.Sleep(time.Millisecond) {
			if runtime.GC(); time.Now().After(deadline) {
				t.Fatalf("with %d MiB the percentage is %d, not %d", megabytes, gcPercent(), want)
			}
		}
	}
	b.goesOn()
	for range 3 {
		b.goesOn()
		collected(4, 1200)
		collected(12, 400)
		collected(100, burstGC)
	}
	b.calm(0)
	for range 3 {
		if runtime.GC(); gcPercent() != 50 {
			t.Fatalf("the burst is over, and the percentage is %d", gcPercent())
		}
	}
}

// TestABurstGoesOnThoughItsTimerFired: just before it was set again.
func TestABurstGoesOnThoughItsTimerFired(t *testing.T) {
	withGC(t, 100, func(t *testing.T) {
		b, freed := counted()
		b.goesOn()
		b.over()
		expect(t, 0, burstGC, freed, 0)
		expect(t, calmAfter, 100, freed, 1)
	})
}

func TestABurstIsOverOnce(t *testing.T) {
	withGC(t, 100, func(t *testing.T) {
		b, freed := counted()
		b.goesOn()
		for range 3 {
			time.AfterFunc(calmAfter, b.over)
		}
		expect(t, time.Minute, 100, freed, 1)
	})
}

// TestABurstMayBeginWhileMemoryIsFreed, which takes long: it does not wait for that.
func TestABurstMayBeginWhileMemoryIsFreed(t *testing.T) {
	withGC(t, 100, func(t *testing.T) {
		b, freed := counted()
		b.frees = []func(){func() {
			if freed.Add(1) > 1 {
				return
			}
			if !b.mu.TryLock() {
				t.Error("a burst has to wait")
				return
			}
			b.mu.Unlock()
			b.goesOn()
			time.Sleep(time.Second)
		}}
		b.goesOn()
		expect(t, calmAfter, burstGC, freed, 1)
		expect(t, calmAfter-time.Millisecond, burstGC, freed, 1)
		expect(t, time.Millisecond, 100, freed, 2)
	})
}

func TestAStartIsABurst(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for set, want := range map[string]int{"": calmGC, "70": 70} {
		t.Setenv("GOGC", set)
		debug.SetGCPercent(70)
		b := newBursts()
		during := gcPercent()
		b.calm(0)
		if after := gcPercent(); during < burstGC || after != want {
			t.Errorf("with GOGC=%q the percentage is %d and then %d, want %d", set, during, after, want)
		}
	}
}

// TestMemoryIsGivenBackWhenNoMoreResultsCome: what they take would stay. A check whose results never cease is not waited for.
func TestMemoryIsGivenBackWhenNoMoreResultsCome(t *testing.T) {
	withGC(t, 100, func(t *testing.T) {
		b, freed := counted()
		b.goesOn()
		for range 10 {
			b.handlesMany()
			time.Sleep(calmAfter - time.Millisecond)
		}
		expect(t, 0, 100, freed, 0) // the collector is as usual meanwhile
		expect(t, time.Millisecond, 100, freed, 1)
		b.handlesMany()
		expect(t, time.Hour, 100, freed, 1)
		b.goesOn()
		for range patience/time.Second + 3 {
			b.handlesMany()
			time.Sleep(time.Second)
		}
		expect(t, 0, 100, freed, 2)
		expect(t, time.Hour, 100, freed, 2)
	})
}

func TestAnAgentThatDoesNotStartLeavesTheCollectorCalm(t *testing.T) {
	t.Setenv("GOGC", "")
	withGC(t, 100, func(t *testing.T) {
		if err := Run(t.Context(), Source{Dir: filepath.Join(t.TempDir(), "none")}, nil, nil); err == nil {
			t.Fatal("it runs")
		}
		if got := gcPercent(); got != calmGC {
			t.Errorf("GC percentage %d", got)
		}
	})
}
