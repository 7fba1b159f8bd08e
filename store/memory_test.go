package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestOnlyOpenQueuesGetRows(t *testing.T) {
	t.Parallel()
	m := NewMemory(nil)
	q := m.Open("a", 2)
	tx := Tx{Rows: []Row{{Queue: "a", Key: "k"}, {Queue: "nobody", Key: "k"}}, States: []State{{"k", []byte("x")}}}
	if err := m.Commit(tx); err != nil {
		t.Fatal(err)
	}
	if q.Len() != 1 || len(m.States()) != 1 || m.Drop("a") != 1 || m.Drop("nobody") != 0 {
		t.Error("wrong counts")
	}
	m.Commit(Tx{States: []State{{Key: "k"}}})
	if len(m.States()) != 0 {
		t.Error("a removed state is still there")
	}
}

func TestReopeningSpreadsTheRowsAnew(t *testing.T) {
	t.Parallel()
	m := NewMemory(nil)
	m.Open("a", 1)
	for i := range 10 {
		m.Commit(Tx{Rows: []Row{{Queue: "a", Key: fmt.Sprint(i % 3), Data: []byte{byte(i)}}}})
	}
	q := m.Open("a", 4)
	last := map[string]byte{}
	n := 0
	for shard := range 4 {
		for _, row := range q.Peek(shard, 100) {
			n++
			if before, seen := last[row.Key]; seen && row.Data[0] < before {
				t.Errorf("key %s out of order", row.Key)
			}
			last[row.Key] = row.Data[0]
		}
	}
	if n != 10 {
		t.Errorf("%d rows after reopening", n)
	}
}

// TestAFullQueueKeepsTheNewestOfEachAlert fills a queue beyond its limit.
func TestAFullQueueKeepsTheNewestOfEachAlert(t *testing.T) {
	t.Parallel()
	merged, lost := 0, 0
	m := NewMemory(func(_ string, a, b int) { merged, lost = merged+a, lost+b })
	q := m.Open("a", 3)
	const keys = 100
	newest := map[string]string{}
	const n = 2 * MaxRows
	for i := range n {
		key, data := fmt.Sprint(i%keys), fmt.Sprint(i)
		newest[key] = data
		m.Commit(Tx{Rows: []Row{{Queue: "a", Key: key, Data: []byte(data)}}})
	}
	seen := map[string]string{}
	for shard := range 3 {
		for _, row := range q.Peek(shard, MaxRows) {
			seen[row.Key] = string(row.Data)
		}
	}
	for key, data := range newest {
		if seen[key] != data {
			t.Fatalf("key %s: the sink would learn %q last, not %q", key, seen[key], data)
		}
	}
	if merged+lost+q.Len() != n || lost != 0 || q.Len() > MaxRows+slack {
		t.Errorf("merged %d, lost %d, queued %d", merged, lost, q.Len())
	}
}

func TestWhatCannotBeMergedIsCountedAsLost(t *testing.T) {
	t.Parallel()
	lost := 0
	m := NewMemory(func(_ string, _, n int) { lost += n })
	q := m.Open("a", 1)
	const n = 2 * MaxRows
	for i := range n {
		m.Commit(Tx{Rows: []Row{{Queue: "a", Key: fmt.Sprint(i)}}})
	}
	if lost == 0 || lost+q.Len() != n || q.Len() < MaxRows || q.Len() > MaxRows+slack {
		t.Errorf("lost %d, queued %d", lost, q.Len())
	}
	if rows := q.Peek(0, n); string(rows[len(rows)-1].Key) != fmt.Sprint(n-1) {
		t.Error("the newest was given up")
	}
}

// TestQueueModel takes random steps and compares with a plain list.
func TestQueueModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := NewMemory(nil)
		q := m.Open("a", 1)
		var model []Row
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "push") {
				m.Commit(Tx{Rows: []Row{{Queue: "a", Key: rapid.StringN(1, 2, 2).Draw(t, "key")}}})
				model = append(model, Row{Seq: uint64(len(model))})
				rows := q.Peek(0, 1000)
				model[len(model)-1] = rows[len(rows)-1]
				continue
			}
			window := q.Peek(0, rapid.IntRange(0, 5).Draw(t, "max"))
			var done []Row
			kept := []Row{}
			for _, row := range window {
				if rapid.Bool().Draw(t, "done") {
					done = append(done, row)
				} else {
					kept = append(kept, row)
				}
			}
			q.Remove(0, done)
			model = append(kept, model[len(window):]...)
			if got := fmt.Sprint(q.Peek(0, 1000)); got != fmt.Sprint(model) {
				t.Fatalf("queue %v, model %v", got, model)
			}
			if q.Len() != len(model) {
				t.Fatalf("Len %d, model %d", q.Len(), len(model))
			}
		}
	})
}
