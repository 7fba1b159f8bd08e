package agent

import "github.com/KimMachineGun/automemlimit/memlimit"

// memoryShare is what the collector may let catpaw have of the memory that its container or unit is allowed (memory.max;
// MemoryMax= of systemd). The rest is for its scripts, and for what is no heap.
const memoryShare = 0.75

// limitMemory has the collector run more often, burst or not, where catpaw would be killed otherwise: of 64 MiB, a burst
// of 30,000 events to a webhook took too much. GOMEMLIMIT has the last word.
func limitMemory() {
	_, _ = memlimit.Set(memlimit.WithRatio(memoryShare)) // where limits cannot be read, there is none to heed
}
