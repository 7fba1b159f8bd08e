package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// The file, bucket by bucket:
//
//	meta    version                          → 1 (uint32)
//	        seq                              → the last one given (uint64)
//	alerts  key of the state                 → state
//	memos   check ID                         → what it remembers
//	queues  name ─ info                      → lanes, counts
//	             ─ rows-N  lane (2) seq (8)  → time (8) closes (1) length of the key (2) key data CRC (4)
//	             ─ dead  seq (8)             → time (8) length of the reason (2) reason row
//
// Numbers are big endian, so that bytes sort as numbers do. A lane holds whole keys: reading it from
// its beginning is reading each of its keys in order. N is the number of lanes. The CRC-32C over what is
// before it finds rows that the disk has spoilt, which bbolt does not.
var (
	bucketMeta, bucketAlerts, bucketMemos, bucketQueues = []byte("meta"), []byte("alerts"), []byte("memos"), []byte("queues")
	buckets                                             = [][]byte{bucketMeta, bucketAlerts, bucketMemos, bucketQueues}
	bucketDead                                          = []byte("dead")
	keyVersion, keySeq, keyInfo                         = []byte("version"), []byte("seq"), []byte("info")
)

// layoutVersion is raised when older programs could no longer read the file.
const layoutVersion = 1

const (
	rowKeySize = 2 + 8
	rowHeader  = 8 + 1 + 2
	rowCRC     = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func rowKey(lane int, seq uint64) []byte { return appendRowKey(make([]byte, 0, rowKeySize), lane, seq) }

func appendRowKey(b []byte, lane int, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(b, uint16(lane)), seq)
}

func splitRowKey(key []byte) (lane int, seq uint64) {
	return int(binary.BigEndian.Uint16(key)), binary.BigEndian.Uint64(key[2:])
}

// NewRow makes a row of data, which it copies.
func NewRow(queue, key string, time int64, closes bool, data []byte) *Row {
	r := &Row{Queue: queue, Key: key, Time: time, Closes: closes, Data: data}
	r.encode()
	return r
}

// For is a new row with the same event for a queue.
func (r *Row) For(queue string) *Row {
	return &Row{Queue: queue, Key: r.Key, Time: r.Time, Closes: r.Closes, Data: r.Data, value: r.value}
}

// encode makes the value, once.
func (r *Row) encode() {
	if r.value == nil {
		r.value = appendRow(make([]byte, 0, rowHeader+len(r.Key)+len(r.Data)+rowCRC), r)
		r.Data = r.value[rowHeader+len(r.Key) : len(r.value)-rowCRC]
	}
}

func appendRow(b []byte, r *Row) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Time))
	closes := byte(0)
	if r.Closes {
		closes = 1
	}
	b = binary.BigEndian.AppendUint16(append(b, closes), uint16(len(r.Key)))
	b = append(append(b, r.Key...), r.Data...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

var errRow = errors.New("a row of the queue is damaged")

// parseRow reads a row. With data it copies what must outlive the transaction.
func parseRow(key, value []byte, data bool) (*Row, error) {
	if len(key) != rowKeySize || len(value) < rowHeader+rowCRC {
		return nil, errRow
	}
	end := len(value) - rowCRC
	if crc32.Checksum(value[:end], castagnoli) != binary.BigEndian.Uint32(value[end:]) {
		return nil, errRow
	}
	value = value[:end]
	size := int(binary.BigEndian.Uint16(value[9:]))
	if len(value) < rowHeader+size {
		return nil, errRow
	}
	r := &Row{
		Time: int64(binary.BigEndian.Uint64(value)), Closes: value[8] != 0,
		Key: string(value[rowHeader : rowHeader+size]), seen: true, onDisk: true,
	}
	r.lane, r.Seq = splitRowKey(key)
	r.hash = hashOf(r.Key)
	if data {
		r.value = bytes.Clone(value[:end+rowCRC])
		r.Data = r.value[rowHeader+size : end]
	}
	return r, nil
}

// Dead is an event that a sink refused for good.
type Dead struct {
	Row    *Row
	Time   int64 // unix seconds of the refusal
	Reason string
}

// maxReason is how many bytes of a refusal's reason are kept.
const maxReason = 1000

func appendDead(b []byte, d *Dead) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(d.Time))
	b = binary.BigEndian.AppendUint16(b, uint16(len(d.Reason)))
	return appendRow(append(b, d.Reason...), d.Row)
}

// parseDead reads a dead letter. Of one that is spoilt only Seq is known.
func parseDead(key, value []byte) *Dead {
	spoilt := &Dead{Row: &Row{}, Reason: "this dead letter was damaged on disk"}
	if len(key) != 8 {
		return spoilt
	}
	spoilt.Row.Seq = binary.BigEndian.Uint64(key)
	if len(value) < 10 || len(value) < 10+int(binary.BigEndian.Uint16(value[8:])) {
		return spoilt
	}
	end := 10 + int(binary.BigEndian.Uint16(value[8:]))
	row, err := parseRow(append([]byte{0, 0}, key...), value[end:], true)
	if err != nil {
		return spoilt
	}
	return &Dead{Row: row, Time: int64(binary.BigEndian.Uint64(value)), Reason: string(value[10:end])}
}

// Counts is what became of the rows of a queue since it was made:
// Accepted = Delivered + Dead + Merged + Lost + Purged + those still queued.
type Counts struct {
	Accepted  uint64 `json:"accepted"`
	Delivered uint64 `json:"delivered"`
	Dead      uint64 `json:"dead"`   // refused for good; at most maxDead of them are kept
	Merged    uint64 `json:"merged"` // a later event of the same alert told the whole
	Lost      uint64 `json:"lost"`   // given up: the queue was full, or its file was damaged
	Purged    uint64 `json:"purged"` // by hand
}

// info is what the file knows of a queue beside its rows.
type info struct {
	Lanes    uint16
	Counts   Counts
	Bytes    int64  // of the rows in the queue, as size counts them
	DeadHeld uint64 // dead letters in the file
}

// queued is how many rows are in the queue.
func (c Counts) queued() int {
	return int(c.Accepted - c.Delivered - c.Dead - c.Merged - c.Lost - c.Purged)
}

func (i info) encode() []byte {
	b, err := binary.Append(nil, binary.BigEndian, i)
	if err != nil {
		panic(err) // all its fields have a fixed size
	}
	return b
}

func parseInfo(b []byte) (i info, err error) {
	if _, err = binary.Decode(b, binary.BigEndian, &i); err != nil {
		return i, fmt.Errorf("%w: the head of a queue: %v", errDamaged, err)
	}
	return i, nil
}

// queueBuckets are the parts of one queue.
type queueBuckets struct{ bucket, rows, dead *bbolt.Bucket }

func rowsBucket(lanes int) []byte { return fmt.Appendf(nil, "rows-%d", lanes) }

// findQueue returns the buckets of a queue; those that are not there are nil.
func findQueue(tx *bbolt.Tx, name string, lanes int) (b queueBuckets) {
	if b.bucket = tx.Bucket(bucketQueues).Bucket([]byte(name)); b.bucket != nil {
		b.rows, b.dead = b.bucket.Bucket(rowsBucket(lanes)), b.bucket.Bucket(bucketDead)
	}
	return b
}

// makeQueue returns the buckets of a queue, making them where they are missing.
func makeQueue(tx *bbolt.Tx, name string, lanes int) (b queueBuckets, err error) {
	if b.bucket, err = tx.Bucket(bucketQueues).CreateBucketIfNotExists([]byte(name)); err != nil {
		return b, err
	}
	if b.dead, err = b.bucket.CreateBucketIfNotExists(bucketDead); err != nil {
		return b, err
	}
	if b.rows, err = b.bucket.CreateBucketIfNotExists(rowsBucket(lanes)); err != nil {
		return b, err
	}
	b.rows.FillPercent = 0.9 // rows come in the order of their keys, lane by lane
	return b, nil
}
