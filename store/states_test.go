package store

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestTheLastStateOfAKeyCounts(t *testing.T) {
	t.Parallel()
	s := states{{"b", []byte("1")}, {"a", []byte("1")}, {"b", []byte("2")}, {"c", nil}, {"a", nil}, {"c", []byte("3")}}
	if got := fmt.Sprintf("%q", s.inOrder()); got != `[{"a" ""} {"b" "2"} {"c" "3"}]` {
		t.Errorf("got %s", got)
	}
	if got := (states{}).inOrder(); len(got) != 0 {
		t.Errorf("of nothing comes %q", got)
	}
}

// TestStatesOfADiskThatTakesNothingAreBounded by the number of keys.
func TestStatesOfADiskThatTakesNothingAreBounded(t *testing.T) {
	t.Parallel()
	c := newChanges()
	for n := range 100_000 {
		c.states = append(c.states, State{fmt.Sprint(n % 10), fmt.Append(nil, n)})
		c.forget()
	}
	if len(c.states) > 1100 {
		t.Errorf("%d states are kept of 10 keys", len(c.states))
	}
	if got := c.states.inOrder(); len(got) != 10 || string(got[9].Data) != "99999" {
		t.Errorf("in the end they are %q", got)
	}
}

// TestStatesThatStayDoNotHoldTheMemoryOfOthers that were written into one piece with them.
func TestStatesThatStayDoNotHoldTheMemoryOfOthers(t *testing.T) {
	t.Parallel()
	const keys, piece = 100, 16 << 10
	c := newChanges()
	var freed atomic.Int64
	for n := range 100 * keys {
		if n%100 != 0 {
			c.states = append(c.states, State{"changes often", []byte("x")})
		} else {
			shared := make([]byte, piece)
			runtime.AddCleanup(&shared[0], func(*atomic.Int64) { freed.Add(1) }, nil)
			c.states = append(c.states, State{fmt.Sprint(n), shared[:1:1]}, State{"removed", nil})
		}
		c.forget()
	}
	for deadline := time.Now().Add(5 * time.Second); freed.Load() < keys*3/4; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("%d of %d pieces are free", freed.Load(), keys)
		}
	}
	if last := c.states.inOrder(); len(last) != keys+2 || last[len(last)-1].Key != "removed" || last[len(last)-1].Data != nil {
		t.Errorf("in the end they are %q", last)
	}
}
