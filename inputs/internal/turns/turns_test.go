package turns

import (
	"slices"
	"testing"
)

func TestWhoWasWaitedForInVainComesLast(t *testing.T) {
	t.Parallel()
	o := New(4)
	round := func() (targets []int) {
		for turn := range 4 {
			targets = append(targets, o.At(turn))
		}
		o.Next()
		return targets
	}
	o.Late(0, true)
	o.Late(2, true)
	if got := round(); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("the first round: %v", got)
	}
	if got := round(); !slices.Equal(got, []int{1, 3, 0, 2}) {
		t.Errorf("the second: %v", got)
	}
	o.Late(0, false)
	round()
	if got := round(); !slices.Equal(got, []int{0, 1, 3, 2}) {
		t.Errorf("when one is back: %v", got)
	}
}
