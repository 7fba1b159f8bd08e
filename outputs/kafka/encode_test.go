package kafka

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// theirRecords are rows as kafka-go's own encoder takes them.
func theirRecords(rows []*row) kafka.RecordReader {
	var records []kafka.Record
	for _, r := range rows {
		records = append(records, kafka.Record{Key: kafka.NewBytes(r.key), Value: kafka.NewBytes(r.value), Headers: r.headers, Time: someTime})
	}
	return kafka.NewRecordReader(records...)
}

var someTime = time.UnixMilli(1734339605123)

// TestOurBytesAreKafkaGos, with short and long keys and values, and with many records.
func TestOurBytesAreKafkaGos(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{"plain": "", "cloudevents": "format = 'cloudevents'"} {
		var batch []*pipeline.Message
		for i := range 300 {
			batch = append(batch, pipetest.Message(pipeline.Event{AlertKey: strings.Repeat("k", 1+i), Description: strings.Repeat("d", i*i)}))
		}
		w := &write{Output: open(t, "brokers = ['b']\n"+options), verdicts: make([]error, len(batch))}
		rows := w.prepare(batch)
		for n := 1; n <= len(rows); n += 37 {
			ours, err := encode(rows[:n], 0, someTime)
			if err != nil {
				t.Fatal(err)
			}
			var theirs bytes.Buffer
			if _, err := (&protocol.RecordSet{Version: 2, Records: theirRecords(rows[:n])}).WriteTo(&theirs); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(ours, theirs.Bytes()) {
				t.Fatalf("%s, %d records: %d bytes, theirs %d", name, n, len(ours), theirs.Len())
			}
		}
	}
}

func TestCompressedBytesAreReadByKafkaGo(t *testing.T) {
	t.Parallel()
	w := &write{Output: open(t, "brokers = ['b']"), verdicts: make([]error, 500)}
	rows := w.prepare(events(500))
	plain, _ := encode(rows, 0, someTime)
	for code := kafka.Compression(1); code <= 4; code++ {
		data, err := encode(rows, code, someTime)
		if err != nil || len(data) > len(plain)/2 {
			t.Fatalf("%v: %d of %d bytes, %v", code, len(data), len(plain), err)
		}
		var set protocol.RecordSet
		if _, err := set.ReadFrom(bytes.NewReader(data)); err != nil {
			t.Fatalf("%v: %v", code, err)
		}
		for i := range rows {
			r, err := set.Records.ReadRecord()
			if err != nil {
				t.Fatalf("%v: record %d: %v", code, i, err)
			}
			if value, _ := protocol.ReadAll(r.Value); !bytes.Equal(value, rows[i].value) {
				t.Fatalf("%v: record %d is %s", code, i, value)
			}
		}
	}
}
