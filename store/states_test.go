package store

import (
	"fmt"
	"testing"
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
