package agent

import (
	"runtime/debug"
	"testing"
)

// Not parallel: the limit is that of the whole process.
func TestTheUsersMemoryLimitHasTheLastWord(t *testing.T) {
	const limit = 1 << 40
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	t.Setenv("GOMEMLIMIT", "1TiB")
	if limitMemory(); debug.SetMemoryLimit(-1) != limit {
		t.Errorf("it is %d", debug.SetMemoryLimit(-1))
	}
}
