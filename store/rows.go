package store

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// readLane reads the rows of a lane after a Seq, at most max, and whether there are more.
func (f *file) readLane(q *Queue, lane int, after uint64, max int) (rows []*Row, more bool, err error) {
	const mostBytes = 1 << 20
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
				return err
			}
			row.home, row.Queue = q, q.name
			size += row.size()
			rows = append(rows, row)
		}
		return nil
	})
	return rows, more, err
}

// relane moves rows that lie in another number of lanes. It goes in steps, each of which leaves the
// rest for the next start if the process ends here.
func (f *file) relane(q *Queue, lanes int) error {
	for {
		left := false
		err := f.update(func(tx *bbolt.Tx) (err error) {
			left, err = relaneSome(tx, q, lanes)
			return err
		})
		if err != nil || !left {
			return err
		}
	}
}

func relaneSome(tx *bbolt.Tx, q *Queue, lanes int) (left bool, err error) {
	const step = 5000 // rows
	to, err := makeQueue(tx, q.name, lanes)
	if err != nil {
		return false, err
	}
	var old []byte
	err = to.bucket.ForEachBucket(func(name []byte) error {
		if bytes.HasPrefix(name, []byte("rows-")) && !bytes.Equal(name, rowsBucket(lanes)) {
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
		row, err := parseRow(key, value, false)
		if err != nil {
			return false, err
		}
		if err := to.rows.Put(rowKey(q.laneOf(row.Key), row.Seq), append([]byte(nil), value...)); err != nil {
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
