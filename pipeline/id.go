package pipeline

import (
	"encoding/hex"
	"io"
	"time"
)

// idLength is the length of every event id: 48 bits of milliseconds and 80 random bits, in hex, as in a
// ULID. Ids of one agent sort by time.
const idLength = 32

// NewID makes an event id. random must not fail (crypto/rand does not).
func NewID(now time.Time, random io.Reader) string {
	var raw [16]byte
	ms := now.UnixMilli()
	for i := range 6 {
		raw[i] = byte(ms >> (40 - 8*i))
	}
	if _, err := io.ReadFull(random, raw[6:]); err != nil {
		panic("event id: " + err.Error())
	}
	var text [idLength]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}
