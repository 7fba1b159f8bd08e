// Package labels is the first processor: it merges the labels of the configuration over those that
// the probe gave, and computes the alert key.
package labels

import (
	"crypto/md5"
	"encoding/hex"

	"catpaw/pipeline"
)

// Processor is stateless but for a buffer that is used again.
type Processor struct{ buffer []byte }

// New returns the processor.
func New() *Processor { return &Processor{} }

// Process gives every event its labels and key.
func (p *Processor) Process(b *pipeline.Batch) {
	for i := range b.Results {
		event := b.Results[i].Event
		if event == nil {
			continue
		}
		event.Labels.Sort()
		event.Labels = pipeline.Merge(event.Labels, b.Results[i].Check.Labels)
		event.AlertKey, p.buffer = key(event.Labels, p.buffer)
	}
}

// Key returns the alert key of a sorted set of labels: the MD5, in lower-case hex, of key + ":" +
// value + ":" for every label in byte order. Sinks know open alerts by it, so it must never change.
func Key(labels pipeline.Labels) string {
	text, _ := key(labels, make([]byte, 0, 256))
	return text
}

func key(labels pipeline.Labels, buffer []byte) (string, []byte) {
	buffer = buffer[:0]
	for i := range labels {
		buffer = append(buffer, labels[i].Key...)
		buffer = append(buffer, ':')
		buffer = append(buffer, labels[i].Value...)
		buffer = append(buffer, ':')
	}
	sum := md5.Sum(buffer)
	var text [2 * md5.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:]), buffer
}
