package agent

import (
	"runtime/debug"
	"testing"
)

// Not parallel: the percentage is that of the whole process.
func TestTheCollectorRestsInABurst(t *testing.T) {
	usual := debug.SetGCPercent(100)
	defer debug.SetGCPercent(usual)
	current := func() int {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now
	}
	var b bursts
	b.goesOn()
	b.goesOn()
	if got := current(); got != burstGC {
		t.Errorf("GC percentage in a burst: %d", got)
	}
	b.over()
	b.over()
	if got := current(); got != 100 {
		t.Errorf("GC percentage after it: %d", got)
	}
	debug.SetGCPercent(500)
	b.goesOn()
	if got := current(); got != 500 {
		t.Errorf("what the user asked for became %d", got)
	}
	b.over()
}
