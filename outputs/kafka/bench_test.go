package kafka

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// BenchmarkPrepare makes records of a full batch: what an event costs before it is on the wire.
func BenchmarkPrepare(b *testing.B) {
	for name, options := range map[string]string{
		"plain":             ``,
		"a topic of labels": `topic = "t-{{.Labels.check}}"`,
		"cloudevents":       `format = "cloudevents"`,
	} {
		b.Run(name, func(b *testing.B) {
			o := open(b, "brokers = ['b']\n"+options)
			batch := events(batchSize)
			b.ReportAllocs()
			for b.Loop() {
				w := &write{Output: o, verdicts: make([]error, len(batch))}
				if len(w.prepare(batch)) != len(batch) {
					b.Fatal("an event was refused")
				}
			}
			b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkReadable mistrusts the answer to a batch over many partitions.
func BenchmarkReadable(b *testing.B) {
	for _, s := range samples() {
		b.Run(fmt.Sprint(s.message.ApiKey()), func(b *testing.B) {
			body := answerOf(b, s.message, s.most)
			for b.Loop() {
				readable(s.message.ApiKey(), s.most, body)
			}
		})
	}
}

// BenchmarkEncode makes the bytes of a request, beside kafka-go's encoder.
func BenchmarkEncode(b *testing.B) {
	w := &write{Output: open(b, "brokers = ['b']"), verdicts: make([]error, batchSize)}
	rows := w.prepare(events(batchSize))
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encode(rows, 0, time.Now())
		}
		report(b)
	})
	b.Run("kafka-go's", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			set := protocol.RecordSet{Version: 2, Records: theirRecords(rows)}
			set.WriteTo(io.Discard)
		}
		report(b)
	})
}
