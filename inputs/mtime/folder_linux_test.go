package mtime

import (
	"slices"
	"testing"
)

// A signal may cut a read short before the first name that counts.
func TestAReadThatBringsOnlyDotsIsNotTheEnd(t *testing.T) {
	t.Parallel()
	const record = 24 // bytes of a name of up to four
	f, err := openFolder(plant(t, ages{"a": 0, "b": 0, "c": 0}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	b := batch{room: make([]byte, record)} // one name at a time
	var names []string
	for {
		if _, err := f.read(&b); err != nil {
			t.Fatal(err)
		}
		if len(b.entries) == 0 {
			break
		}
		names = append(names, string(b.entries[0].name))
	}
	if slices.Sort(names); !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("names %q", names)
	}
}
