package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"pgregory.net/rapid"
)

// TestModel takes random steps, among them crashes at any write, and compares with what a store must do:
//
//   - every row committed reaches the sink, or is counted as dead, merged, lost or purged
//   - rows of one key come in order, and the newest of each key comes
//   - the counts agree
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base, err := os.MkdirTemp("", "catpaw-model-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(base)
		m := &model{t: t, base: base, last: map[string]int{}, sent: map[string][]int{}}
		m.start(m.next(), rapid.IntRange(1, 3).Draw(t, "lanes"))
		defer func() { m.store.Close() }()
		steps := map[string]func(){
			"commit": m.commit, "commit again": m.commit, "deliver": m.deliver, "crash": m.crash,
			"crash while writing": m.torn, "restart": m.restart, "redrive": m.redrive, "purge": m.purge,
		}
		names := slices.Sorted(maps.Keys(steps))
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			steps[rapid.SampledFrom(names).Draw(t, "step")]()
			m.count()
		}
		m.end()
	})
}

type model struct {
	t     *rapid.T
	base  string
	dirs  int
	store *Store
	queue *Queue
	lanes int
	n     int              // numbers the rows, so that their order shows
	last  map[string]int   // the newest row of each key
	sent  map[string][]int // what the sink got of each key, in order
	shoot bool             // keep the file as the next transaction leaves it
	shot  []byte
	early bool // rows were given up: the newest may never come
}

func (m *model) next() string {
	m.dirs++
	return filepath.Join(m.base, fmt.Sprint(m.dirs))
}

func (m *model) start(dir string, lanes int) {
	s, _, err := Open(Config{Dir: dir, Log: zap.NewNop(), noSync: true, wrote: m.wrote})
	if err != nil || s.Trouble() != nil {
		m.t.Fatal(err, s.Trouble())
	}
	m.store, m.lanes = s, lanes
	m.queue = s.Open("a", Limits{Lanes: lanes, Window: rapid.IntRange(1, 4).Draw(m.t, "window"), MaxEvents: 10, MaxBytes: 1 << 20,
		Brief: rapid.Bool().Draw(m.t, "brief")})
}

func (m *model) rows() (rows []*Row) {
	for range rapid.IntRange(1, 8).Draw(m.t, "rows") {
		m.n++
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(m.t, "key")
		rows = append(rows, &Row{
			Queue: "a", Key: key, Time: 1, Closes: rapid.Bool().Draw(m.t, "closes"), Data: fmt.Append(nil, m.n),
		})
	}
	return rows
}

func (m *model) commit() {
	rows := m.rows()
	m.store.Commit(Tx{Rows: rows, States: []State{{Key: "n", Data: fmt.Append(nil, m.n)}}})
	m.store.Sync()
	m.know(rows)
}

func (m *model) know(rows []*Row) {
	for _, row := range rows {
		fmt.Sscan(string(row.Data), &m.n)
		m.last[row.Key] = m.n
	}
}

// deliver plays a worker and its sink: it may take, try again later, or refuse.
func (m *model) deliver() {
	lane := rapid.IntRange(0, m.lanes-1).Draw(m.t, "lane")
	late := int64(0)
	if rapid.Bool().Draw(m.t, "late") {
		late = 2
	}
	var skip func(string) bool
	if rapid.Bool().Draw(m.t, "skip") {
		waits := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(m.t, "waits")
		skip = func(key string) bool { return key == waits }
	}
	for _, parcel := range m.queue.Take(lane, rapid.IntRange(1, 5).Draw(m.t, "max"), late, skip) {
		switch rapid.IntRange(0, 3).Draw(m.t, "verdict") {
		case 0: // try again
		case 1:
			m.early = true
			m.queue.Settle(lane, []Parcel{parcel}, "no")
		default:
			m.got(parcel)
			m.queue.Settle(lane, []Parcel{parcel}, "")
		}
	}
}

func (m *model) got(p Parcel) {
	n := 0
	fmt.Sscan(string(p.Last().Data), &n)
	m.sent[p.Last().Key] = append(m.sent[p.Last().Key], n)
}

// wrote is called by the writer.
func (m *model) wrote() {
	if m.shoot {
		m.shoot = false
		m.shot, _ = os.ReadFile(m.store.file.path)
	}
}

// image copies the file between two transactions.
func (m *model) image() (image []byte) {
	m.store.order(func() { image, _ = os.ReadFile(m.store.file.path) })
	return image
}

func (m *model) boot(image []byte) {
	m.store.Close()
	dir := m.next()
	if err := os.Mkdir(dir, 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), image, 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.start(dir, rapid.IntRange(1, 3).Draw(m.t, "lanes"))
}

func (m *model) crash() { m.boot(m.image()) }

// torn crashes when the pages of a commit are written, but not the one that makes them count.
func (m *model) torn() {
	before := m.image()
	m.shot = nil
	m.shoot = true
	m.store.Commit(Tx{Rows: m.rows()})
	m.store.Sync()
	after := m.shot
	copy(after, before[:2*pageSize])
	m.boot(after)
}

func (m *model) restart() {
	dir := filepath.Dir(m.store.file.path)
	m.store.Close()
	m.start(dir, rapid.IntRange(1, 3).Draw(m.t, "lanes"))
}

func (m *model) redrive() {
	if _, err := m.store.Redrive("a", "a"); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) purge() {
	m.early = true
	if _, err := m.store.Purge("a", rapid.Bool().Draw(m.t, "dead")); err != nil {
		m.t.Fatal(err)
	}
}

// count compares the counts with the rows.
func (m *model) count() {
	rows, err := m.store.Rows("a", 0, 1000)
	if err != nil {
		m.t.Fatal(err)
	}
	if len(rows) != m.queue.Len() {
		m.t.Fatalf("%d rows, but the queue says %d", len(rows), m.queue.Len())
	}
	if info := m.store.Queues()[0]; info.Counts.Lost > 0 {
		m.early = true
	} else if size := int64(0); info.Queued < 100 {
		for _, row := range rows {
			size += row.size()
		}
		if size != info.Bytes {
			m.t.Fatalf("%d bytes, but the queue says %d", size, info.Bytes)
		}
	}
}

// end delivers what is left and judges what the sink got.
func (m *model) end() {
	for lane := range m.lanes {
		for !m.queue.Empty(lane) {
			parcels := m.queue.Take(lane, 3, 0, nil)
			for _, parcel := range parcels {
				m.got(parcel)
			}
			m.queue.Settle(lane, parcels, "")
		}
	}
	if m.queue.Len() != 0 {
		m.t.Fatalf("%d rows are left", m.queue.Len())
	}
	for key, last := range m.last {
		seen := map[int]bool{}
		newest := 0
		for _, n := range m.sent[key] {
			if seen[n] {
				continue // once more, after a crash
			}
			if seen[n] = true; n < newest && !m.early {
				m.t.Fatalf("of %s the sink got %v", key, m.sent[key])
			}
			newest = max(newest, n)
		}
		if newest != last && !m.early {
			m.t.Fatalf("the newest of %s is %d, but the sink got %s", key, last, strings.Trim(fmt.Sprint(m.sent[key]), "[]"))
		}
	}
}
