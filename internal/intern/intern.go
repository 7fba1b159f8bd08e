// Package intern keeps once what many things have in common.
package intern

import "hash/maphash"

// Table remembers some of the texts that it gave, and gives those again for the same bytes. What falls on the place of
// another takes it, so a table never grows: make(Table, 1024) has so many places. It is not safe for concurrent use.
type Table []string

var seed = maphash.MakeSeed()

// Text returns the bytes as a string.
func (t Table) Text(b []byte) string {
	at := &t[maphash.Bytes(seed, b)%uint64(len(t))]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}
