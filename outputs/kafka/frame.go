package kafka

import (
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
)

// layouts are the answers that we may get. Their fields are tagged with the versions that have them.
var layouts = map[protocol.ApiKey]reflect.Type{
	protocol.ApiVersions:      reflect.TypeFor[apiversions.Response](),
	protocol.CreateTopics:     reflect.TypeFor[createtopics.Response](),
	protocol.Metadata:         reflect.TypeFor[metadata.Response](),
	protocol.Produce:          reflect.TypeFor[produce.Response](),
	protocol.SaslAuthenticate: reflect.TypeFor[saslauthenticate.Response](),
	protocol.SaslHandshake:    reflect.TypeFor[saslhandshake.Response](),
}

// readable reports whether an answer holds all that it says it does. kafka-go believes the lengths in it
// and allocates them, in a goroutine of its own: "two thousand million topics follow" would be the end of
// the whole agent.
func readable(api protocol.ApiKey, version int16, body []byte) bool {
	layout, ok := layouts[api]
	if !ok {
		return false
	}
	f := &frame{rest: body, version: version}
	f.flexible = isFlexible(layout, version)
	if f.flexible { // the header of the answer has tags too
		f.tags()
	}
	f.walk(layout)
	return !f.short
}

// frame is an answer on its way through its layout.
type frame struct {
	rest     []byte
	version  int16
	flexible bool // lengths are varints, structs have tags: KIP-482
	short    bool // it says more than it holds
}

func (f *frame) walk(t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if has, isTag := tagOf(t.Field(i), f.version); has && !isTag {
				f.walk(t.Field(i).Type)
			}
		}
		if f.flexible {
			f.tags()
		}
	case reflect.Slice:
		f.slice(t.Elem())
	case reflect.String:
		f.take(f.length(2))
	default:
		f.take(int(t.Size()))
	}
}

func (f *frame) slice(element reflect.Type) {
	n := f.length(4)
	if element.Kind() == reflect.Uint8 {
		f.take(n)
		return
	}
	for ; n > 0 && !f.short; n-- { // each takes a byte at least, so this ends with the frame
		f.walk(element)
	}
}

// tags passes over the tagged fields, none of which kafka-go knows.
func (f *frame) tags() {
	for n := f.varint(); n > 0 && !f.short; n-- {
		f.varint()
		f.take(f.varint())
	}
}

// length is that of a text, of bytes or of a list: a number of so many bytes, or a varint of one more. None
// is 0.
func (f *frame) length(size int) int {
	if f.flexible {
		return max(0, f.varint()-1)
	}
	b := f.take(size)
	switch {
	case f.short:
		return 0
	case size == 2:
		return max(0, int(int16(binary.BigEndian.Uint16(b))))
	}
	return max(0, int(int32(binary.BigEndian.Uint32(b))))
}

func (f *frame) varint() int {
	n, size := binary.Uvarint(f.rest)
	if size <= 0 || n > maxAnswer {
		f.short = true
		return 0
	}
	f.rest = f.rest[size:]
	return int(n)
}

func (f *frame) take(n int) []byte {
	if n > len(f.rest) {
		f.short, f.rest = true, nil
		return nil
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

// isFlexible reports whether a version of an answer is flexible: kafka-go marks that with a field of no
// name.
func isFlexible(t reflect.Type, version int16) bool {
	mark, ok := t.FieldByName("_")
	if !ok {
		return false
	}
	has, isTag := tagOf(mark, version)
	return has && isTag
}

// tagOf reads kafka-go's tag of a field, such as `kafka:"min=v2,max=v5,nullable"`: whether that version
// has it, and whether as a tagged field.
func tagOf(field reflect.StructField, version int16) (has, isTag bool) {
	for one := range strings.SplitSeq(field.Tag.Get("kafka"), "|") {
		low, rest, _ := strings.Cut(strings.TrimPrefix(one, "min=v"), ",max=v")
		high, more, _ := strings.Cut(rest, ",")
		from, err := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err == nil && err2 == nil && from <= int(version) && int(version) <= to {
			return true, more == "tag"
		}
	}
	return false, false
}
