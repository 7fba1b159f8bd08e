package store

import (
	"cmp"
	"slices"
)

// states are values by key, in the order in which they came: the last one of a key counts. As a rule keys rise and come
// once, so that sorting them costs less than a map.
type states []State

// statesOf are those of a map.
func statesOf(values map[string][]byte) states {
	all := make(states, 0, len(values))
	for key, data := range values {
		all = append(all, State{key, data})
	}
	return all
}

// inOrder sorts by key and leaves only what counts.
func (s states) inOrder() states {
	slices.SortStableFunc(s, func(a, b State) int { return cmp.Compare(a.Key, b.Key) })
	kept := s[:0]
	for i, one := range s {
		if i+1 == len(s) || s[i+1].Key != one.Key {
			kept = append(kept, one)
		}
	}
	clear(s[len(kept):])
	return kept
}
