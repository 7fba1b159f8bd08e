package store

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// mostBytes are the bytes of rows that are read ahead of a lane.
const mostBytes = 1 << 20

// readLane reads the rows of a lane after a Seq, at most max, and whether there are more. Of those that
// are spoilt only Seq and size are known.
func (f *file) readLane(q *Queue, lane int, after uint64, max int) (rows, spoilt []*Row, more bool, err error) {
	size := int64(0)
	err = f.read(func(tx *bbolt.Tx) error {
		b := findQueue(tx, q.name, len(q.lanes))
		if b.rows == nil {
			return nil
		}
		from, end := rowKey(lane, after+1), rowKey(lane+1, 0)
		c := b.rows.Cursor()
		for key, value := c.Seek(from); key != nil && bytes.Compare(key, end) < 0; key, value = c.Next() {
			if len(rows) == max || size > mostBytes {
				more = true
				return nil
			}
			row, err := parseRow(key, value, true)
			if err != nil {
				spoilt = append(spoilt, spoiltRow(q, key, value))
				continue
			}
			row.home, row.Queue = q, q.name
			size += row.size()
			rows = append(rows, row)
		}
		return nil
	})
	return rows, spoilt, more, err
}

// spoiltRow is what is left of a row that cannot be read.
func spoiltRow(q *Queue, key, value []byte) *Row {
	r := &Row{home: q, bytes: int64(len(key) + len(value)), onDisk: true, seen: true}
	if len(key) == rowKeySize {
		r.lane, r.Seq = splitRowKey(key)
	}
	return r
}

// strays reports whether rows of a queue lie in another number of lanes.
func (f *file) strays(q *Queue) (found bool) {
	_ = f.read(func(tx *bbolt.Tx) error {
		b := findQueue(tx, q.name, len(q.lanes)).bucket
		if b == nil {
			return nil
		}
		return b.ForEachBucket(func(name []byte) error {
			found = found || isStray(name, len(q.lanes))
			return nil
		})
	})
	return found
}

func isStray(name []byte, lanes int) bool {
	return bytes.HasPrefix(name, []byte("rows-")) && !bytes.Equal(name, rowsBucket(lanes))
}

// relane moves the rows of a queue that lie in another number of lanes. It goes in steps, each of which leaves the
// rest for the next start if the process ends here. moved says that there was one, whatever came after.
func (f *file) relane(name string, lanes int) (moved bool, err error) {
	for {
		left := false
		err = f.update(func(tx *bbolt.Tx) (err error) {
			left, err = relaneSome(tx, name, lanes)
			return err
		})
		if err != nil || !left {
			return moved, err
		}
		moved = true
	}
}

func relaneSome(tx *bbolt.Tx, name string, lanes int) (left bool, err error) {
	const step = 5000 // rows
	to, err := makeQueue(tx, name, lanes)
	if err != nil {
		return false, err
	}
	var old []byte
	err = to.bucket.ForEachBucket(func(name []byte) error {
		if isStray(name, lanes) {
			old = append([]byte(nil), name...)
		}
		return nil
	})
	if err != nil || old == nil {
		return false, err
	}
	from := to.bucket.Bucket(old)
	var keys [][]byte
	c := from.Cursor()
	for key, value := c.First(); key != nil && len(keys) < step; key, value = c.Next() {
		lane := 0 // of a spoilt row, which whoever reads it will count
		row, err := parseRow(key, value, false)
		if err == nil {
			lane = int(row.hash % uint32(lanes))
		}
		if len(key) != rowKeySize {
			keys = append(keys, append([]byte(nil), key...))
			continue
		}
		_, seq := splitRowKey(key)
		if err := to.rows.Put(rowKey(lane, seq), append([]byte(nil), value...)); err != nil {
			return false, err
		}
		keys = append(keys, append([]byte(nil), key...))
	}
	if len(keys) < step {
		return true, to.bucket.DeleteBucket(old)
	}
	for _, key := range keys {
		if err := from.Delete(key); err != nil {
			return false, err
		}
	}
	return true, nil
}
