package alerting

import (
	"hash/maphash"
	"iter"
)

// index finds alerts by their keys. Of a million alerts each takes 19 bytes in it, and 53 in a map[string]*entry, which
// holds the keys, too, and is half empty then.
//
// An alert lies in the slot that the hash of its key names, or in one of those behind it, with no empty one between.
type index struct {
	slots []*entry // a power of two of them
	tags  []uint8  // of each slot: 0 where it is empty, else bits of the hash, so that hardly any alert is looked at in vain
	taken int
}

var seed = maphash.MakeSeed()

const leastSlots = 8

// hash is where the search for a key begins, and its tag.
func (t *index) hash(key string) (slot int, tag uint8) {
	h := maphash.String(seed, key)
	return int(h) & (len(t.slots) - 1), uint8(h>>56) | 1
}

// find returns the slot of a key, or the empty one where it would be.
func (t *index) find(key string) (slot int, found bool) {
	slot, tag := t.hash(key)
	for ; t.tags[slot] != 0; slot = t.behind(slot) {
		if t.tags[slot] == tag && t.slots[slot].key == key {
			return slot, true
		}
	}
	return slot, false
}

func (t *index) behind(slot int) int { return (slot + 1) & (len(t.slots) - 1) }

// get returns nil where there is none.
func (t *index) get(key string) *entry {
	if t.taken == 0 {
		return nil
	}
	slot, _ := t.find(key)
	return t.slots[slot]
}

// put takes an alert in, in place of the one that has its key.
func (t *index) put(e *entry) {
	t.reserve(t.taken + 1)
	slot, found := t.find(e.key)
	if !found {
		t.taken++
	}
	_, t.tags[slot] = t.hash(e.key)
	t.slots[slot] = e
}

// reserve makes room for so many in all. A quarter of the slots stays empty, so that searches are short.
func (t *index) reserve(n int) {
	size := max(len(t.slots), leastSlots)
	for size/4*3 < n {
		size *= 2
	}
	if size > len(t.slots) {
		t.resize(size)
	}
}

func (t *index) resize(size int) {
	old := t.slots
	*t = index{slots: make([]*entry, size), tags: make([]uint8, size)}
	for _, e := range old {
		if e != nil {
			slot, _ := t.find(e.key)
			t.slots[slot] = e
			_, t.tags[slot] = t.hash(e.key)
			t.taken++
		}
	}
}

// remove closes the gap that it makes, by those behind it that the gap would cut off from where their search begins.
// When few are left of many, it gives their room back.
func (t *index) remove(key string) {
	if t.get(key) == nil {
		return
	}
	gap, _ := t.find(key)
	for slot := t.behind(gap); t.tags[slot] != 0; slot = t.behind(slot) {
		begin, _ := t.hash(t.slots[slot].key)
		if mask := len(t.slots) - 1; (slot-begin)&mask >= (slot-gap)&mask {
			t.slots[gap], t.tags[gap] = t.slots[slot], t.tags[slot]
			gap = slot
		}
	}
	t.slots[gap], t.tags[gap] = nil, 0
	t.taken--
	if size := len(t.slots); size > leastSlots && t.taken < size/8 {
		t.resize(size / 2)
	}
}

// all are the alerts, in no order. None may be put or removed meanwhile.
func (t *index) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for _, e := range t.slots {
			if e != nil && !yield(e) {
				return
			}
		}
	}
}
