package pipeline

import (
	"bufio"
	"encoding/hex"
	"io"
	"time"
)

// idLength is the length of every event id: 48 bits of milliseconds and 80 random bits, in hex, as in a
// ULID. Ids of one agent sort by time.
const idLength = 32

// IDs makes event ids. It is not safe for concurrent use.
type IDs struct {
	random *bufio.Reader // a system call for each id would be the most of its cost
	raw    [idLength / 2]byte
}

// NewIDs takes its random bits from a source that must not fail (crypto/rand does not).
func NewIDs(random io.Reader) *IDs { return &IDs{random: bufio.NewReader(random)} }

// Next makes an id.
func (i *IDs) Next(now time.Time) string {
	ms := now.UnixMilli()
	for n := range 6 {
		i.raw[n] = byte(ms >> (40 - 8*n))
	}
	if _, err := io.ReadFull(i.random, i.raw[6:]); err != nil {
		panic("event id: " + err.Error())
	}
	var text [idLength]byte
	hex.Encode(text[:], i.raw[:])
	return string(text[:])
}
