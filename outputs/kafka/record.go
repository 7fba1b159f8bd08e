package kafka

import (
	"github.com/segmentio/kafka-go"

	"catpaw/outputs/internal/envelope"
	"catpaw/pipeline"
)

// row is a message on its way.
type row struct {
	at      int // in the batch
	topic   string
	key     []byte
	value   []byte
	headers []kafka.Header
}

// size is about what the record takes, uncompressed.
func (r *row) size() int {
	const overhead = 40 // lengths, offsets, time
	n := overhead + len(r.key) + len(r.value)
	for _, header := range r.headers {
		n += len(header.Key) + len(header.Value) + 4
	}
	return n
}

// arena holds what the rows of one batch are made of, in few pieces of memory.
type arena struct {
	rows    []row
	headers []kafka.Header
	bytes   []byte
}

func newArena(n int) *arena {
	const perRow, bytesPerRow = 3, 96 // headers, and what they and the key take, without an envelope
	return &arena{rows: make([]row, 0, n), headers: make([]kafka.Header, 0, n*perRow), bytes: make([]byte, 0, n*bytesPerRow)}
}

func (a *arena) keep(text string) []byte {
	start := len(a.bytes)
	a.bytes = append(a.bytes, text...)
	return a.bytes[start:len(a.bytes):len(a.bytes)]
}

// add makes a row. The Kafka binding of CloudEvents spells the content type in lower case, and readers
// look for it so.
func (a *arena) add(at int, topic string, format envelope.Format, m *pipeline.Message) (*row, error) {
	headers, err := format.Headers(m, "ce_")
	if err != nil {
		return nil, err
	}
	start := len(a.headers)
	for _, header := range headers {
		if header.Name == "Content-Type" {
			header.Name = "content-type"
		}
		a.headers = append(a.headers, kafka.Header{Key: header.Name, Value: a.keep(header.Value)})
	}
	a.rows = append(a.rows, row{at: at, topic: topic, key: a.keep(m.AlertKey), value: m.JSON(), headers: a.headers[start:]})
	return &a.rows[len(a.rows)-1], nil
}
