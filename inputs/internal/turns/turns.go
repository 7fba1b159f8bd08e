// Package turns is the order in which a probe looks at its targets: those that were waited for in vain the
// last time come last, so that, however many they are, they hold up nobody else.
package turns

// Order is a round through so many targets. Late may be called from several goroutines for different
// targets, the rest by one at a time.
type Order struct {
	late    []bool // by target
	targets []int  // by turn
}

// New returns the order of n targets, as they are numbered.
func New(n int) *Order {
	o := &Order{late: make([]bool, n)}
	o.Next()
	return o
}

// At is the target whose turn it is.
func (o *Order) At(turn int) (target int) { return o.targets[turn] }

// Late notes whether a target was waited for in vain.
func (o *Order) Late(target int, late bool) { o.late[target] = late }

// Next makes the order of the next round.
func (o *Order) Next() {
	o.targets = o.targets[:0]
	for _, late := range []bool{false, true} {
		for target := range o.late {
			if o.late[target] == late {
				o.targets = append(o.targets, target)
			}
		}
	}
}
