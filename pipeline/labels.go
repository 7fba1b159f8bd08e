package pipeline

import (
	"slices"
	"strings"
)

// Label is one name and value that tells an alert from others.
type Label struct{ Key, Value string }

// Labels is a set of labels. Sorted by key it has one form, which merging and the alert key build on;
// a set made by hand may be in any order until Sort.
type Labels []Label

// L makes labels from keys and values in turn.
func L(pairs ...string) Labels {
	labels := make(Labels, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		labels = append(labels, Label{pairs[i], pairs[i+1]})
	}
	return labels
}

// LabelsOf makes sorted labels from a map.
func LabelsOf(m map[string]string) Labels {
	labels := make(Labels, 0, len(m))
	for key, value := range m {
		labels = append(labels, Label{key, value})
	}
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Key, b.Key) })
	return labels
}

// Get returns the value at key, or "".
func (l Labels) Get(key string) string {
	for i := range l {
		if l[i].Key == key {
			return l[i].Value
		}
	}
	return ""
}

// Map returns the labels as a map.
func (l Labels) Map() map[string]string {
	m := make(map[string]string, len(l))
	for _, label := range l {
		m[label.Key] = label.Value
	}
	return m
}

// String is for people: key=value, one after the other.
func (l Labels) String() string {
	var text []byte
	for i, label := range l {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(append(append(text, label.Key...), '='), label.Value...)
	}
	return string(text)
}

// Sort orders the labels by key, in place; of equal keys the last one set stays last.
func (l Labels) Sort() {
	for i := 1; i < len(l); i++ { // sets are small and mostly sorted: insertion beats sort.Slice
		for j := i; j > 0 && l[j].Key < l[j-1].Key; j-- {
			l[j], l[j-1] = l[j-1], l[j]
		}
	}
}

// Merge returns low and high as one sorted set; where both have a key, high wins. Both must be sorted.
func Merge(low, high Labels) Labels {
	merged := make(Labels, 0, len(low)+len(high))
	for len(low) > 0 && len(high) > 0 {
		switch c := strings.Compare(low[0].Key, high[0].Key); {
		case c < 0:
			merged, low = append(merged, low[0]), low[1:]
		case c > 0:
			merged, high = append(merged, high[0]), high[1:]
		default:
			low = low[1:]
		}
	}
	return append(append(merged, low...), high...)
}

// Attr is one measured value: a string, bool, int64 or float64. Names carry their unit, as in
// "connect_seconds".
type Attr struct {
	Key   string
	Value any
}
