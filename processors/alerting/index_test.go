package alerting

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// TestTheIndexIsAMap takes random steps and compares with a map.
func TestTheIndexIsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tested index
		model := map[string]*entry{}
		keys := rapid.IntRange(1, 200).Draw(t, "keys")
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 5*keys-1), 0, 600).Draw(t, "steps") {
			switch key := fmt.Sprint(step % keys); {
			case step >= 2*keys:
				model[key] = &entry{key: key}
				tested.put(model[key])
			case tested.get(key) != model[key]:
				t.Fatalf("%q: %p, want %p", key, tested.get(key), model[key])
			default:
				delete(model, key)
				tested.remove(key)
			}
		}
		found := map[string]*entry{}
		for e := range tested.all() {
			found[e.key] = e
		}
		if !maps.Equal(found, model) || tested.taken != len(model) {
			t.Fatalf("%d of %d: %v, want %v", len(found), tested.taken, found, model)
		}
		for key, e := range model {
			if tested.get(key) != e {
				t.Fatalf("%q is not found", key)
			}
		}
	})
}

// TestTheIndexIsAsLargeAsNeeded grows it to many and back: what a storm of alerts took is given back after it.
func TestTheIndexIsAsLargeAsNeeded(t *testing.T) {
	t.Parallel()
	const many = 100_000
	key := func(i int) string { return fmt.Sprint("key ", i) }
	var tested index
	for i := range many {
		tested.put(&entry{key: key(i)})
	}
	if n := len(tested.slots); n > 2*many*4/3 {
		t.Errorf("%d slots for %d alerts", n, many)
	}
	for i := range many {
		tested.remove(key(i))
	}
	if n := len(tested.slots); n > 2*leastSlots {
		t.Errorf("%d slots for none", n)
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		var tested index
		gomap := map[string]*entry{}
		keys, others := make([]string, n), make([]string, n)
		for i := range n {
			keys[i], others[i] = fmt.Sprintf("%032x", i*7919), fmt.Sprintf("%032d", i*7919)
			e := &entry{key: keys[i]}
			tested.put(e)
			gomap[e.key] = e
		}
		for name, get := range map[string]func(string) *entry{"Map": func(key string) *entry { return gomap[key] }, "Index": tested.get} {
			for what, asked := range map[string][]string{"Hit": keys, "Miss": others} {
				b.Run(fmt.Sprint(name, "/", what, "/", n), func(b *testing.B) {
					for i := 0; b.Loop(); i = (i + 100_003) % n {
						get(asked[i])
					}
				})
			}
		}
	}
}
