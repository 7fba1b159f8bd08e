package intern

import (
	"fmt"
	"testing"
	"unsafe"
)

func TestTextsAreKeptOnce(t *testing.T) {
	t.Parallel()
	table := make(Table, 4)
	for range 3 {
		for i := range 100 { // far more than there are places
			want := fmt.Sprint("text ", i%10)
			first := table.Text([]byte(want))
			again := table.Text([]byte(want))
			if first != want || again != want || unsafe.StringData(first) != unsafe.StringData(again) {
				t.Fatalf("%q became %q, then %q", want, first, again)
			}
		}
	}
}

func TestTheBytesMayChange(t *testing.T) {
	t.Parallel()
	table, b := make(Table, 1), []byte("one")
	one := table.Text(b)
	copy(b, "two")
	if two := table.Text(b); one != "one" || two != "two" {
		t.Errorf("%q, %q", one, two)
	}
}
