package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens the store of a directory, and closes it at the end of the test.
func open(t *testing.T, dir string) (*Store, []State) {
	t.Helper()
	s, states, err := Open(Config{Dir: dir, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-s.ended:
		default:
			s.Close()
		}
	})
	return s, states
}

func limits(lanes int) Limits {
	return Limits{Lanes: lanes, Window: 4, MaxEvents: 1000, MaxBytes: 1 << 20}
}

func row(key string, n int) *Row {
	return &Row{Queue: "a", Key: key, Data: fmt.Appendf(nil, "%s%d", key, n)}
}

// drain takes and settles everything, and returns the data in the order in which it came.
func drain(q *Queue, lanes int) (all []string) {
	for lane := range lanes {
		for {
			parcels := q.Take(lane, 3, 0, nil)
			if len(parcels) == 0 {
				break
			}
			for _, parcel := range parcels {
				all = append(all, string(parcel.Last().Data))
			}
			q.Settle(lane, parcels, "")
		}
	}
	return all
}

func TestWhatWasCommittedIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state.d")
	s, states := open(t, dir)
	if len(states) != 0 || s.Trouble() != nil {
		t.Fatal(states, s.Trouble())
	}
	s.Open("a", limits(1))
	s.Commit(Tx{
		States: []State{{"k", []byte("firing")}, {"gone", []byte("x")}},
		Memos:  []Memo{{"check", []byte("cursor 7")}},
		Rows:   []*Row{row("k", 1), row("l", 2), row("k", 3)},
	})
	s.Sync()
	s.Commit(Tx{States: []State{{"gone", nil}}})
	s.Sync()
	s.Close()

	s, states = open(t, dir)
	if fmt.Sprint(states) != fmt.Sprint([]State{{"k", []byte("firing")}}) || string(s.Memo("check")) != "cursor 7" {
		t.Errorf("states %s, memo %s", states, s.Memo("check"))
	}
	q := s.Open("a", limits(3)) // another concurrency: the rows are spread anew
	if q.Len() != 3 {
		t.Errorf("%d rows", q.Len())
	}
	if got := drain(q, 3); len(got) != 3 {
		t.Errorf("delivered %v", got)
	}
	s.Close()
	s, _ = open(t, dir)
	if q := s.Open("a", limits(3)); q.Len() != 0 || len(drain(q, 3)) != 0 {
		t.Errorf("%d rows are left", q.Len())
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, filepath.Join(dir, FileName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestAStartWithoutNewsLeavesTheFileAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filled(t, dir)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, states := open(t, dir)
	s.Close()
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) || len(states) == 0 {
		t.Errorf("it was written (%v), or not read: %d states", err, len(states))
	}
}

// TestWhatIsMissingInTheFileIsMade: who made it may have been stopped, or known less.
func TestWhatIsMissingInTheFileIsMade(t *testing.T) {
	t.Parallel()
	for _, missing := range buckets {
		t.Run(string(missing), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			db, err := bbolt.Open(filled(t, dir), 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(missing) })
			if db.Close(); err != nil {
				t.Fatal(err)
			}
			s, states := open(t, dir)
			if s.Trouble() != nil || s.Replaced() != nil || len(states) == 0 != (string(missing) == "alerts") {
				t.Errorf("%d states; trouble %v, replaced %v", len(states), s.Trouble(), s.Replaced())
			}
			works(t, s, dir)
		})
	}
}

func TestASecondAgentIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if _, _, err := Open(Config{Dir: dir, Log: zap.NewNop()}); err != ErrInUse {
		t.Errorf("error %v", err)
	}
}

// TestNothingIsLostBetweenTheWriterAndTheReaders has rows come in while the lanes are read from the file.
func TestNothingIsLostBetweenTheWriterAndTheReaders(t *testing.T) {
	t.Parallel()
	const lanes, total = 3, 6000
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true})
	must(t, err)
	q := s.Open("a", Limits{Lanes: lanes, Window: 8, MaxEvents: 2 * total, MaxBytes: 1 << 30})
	var mu sync.Mutex
	seen := map[string]int{}
	var workers sync.WaitGroup
	delivered := make(chan struct{}, 2*total)
	stop := make(chan struct{})
	for lane := range lanes {
		workers.Go(func() {
			for {
				parcels := q.Take(lane, 5, 0, nil)
				for _, parcel := range parcels {
					mu.Lock()
					seen[string(parcel.Last().Data)]++
					mu.Unlock()
					delivered <- struct{}{}
				}
				q.Settle(lane, parcels, "")
				if len(parcels) > 0 {
					continue
				}
				select {
				case <-q.Wake(lane):
				case <-stop:
					return
				}
			}
		})
	}
	for i := 0; i < total; i += 4 {
		s.Commit(Tx{Rows: []*Row{row("k", i), row("l", i+1), row("m", i+2), row("n", i+3)}})
	}
	for n := range total {
		select {
		case <-delivered:
		case <-time.After(patience):
			t.Fatalf("only %d of %d rows came", n, total)
		}
	}
	close(stop)
	workers.Wait()
	s.Sync()
	for data, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", data, n)
		}
	}
	if counts := s.Queues()[0].Counts; counts.queued() != 0 || counts.Delivered != total {
		t.Errorf("counts %+v", counts)
	}
	s.Close()
}

func TestTheFileShrinksWhenItIsMostlyFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	q := s.Open("a", Limits{Lanes: 1, Window: 100, MaxEvents: 100_000, MaxBytes: 1 << 30})
	tx := Tx{States: []State{{"k", []byte("firing")}}}
	for i := range 8000 {
		tx.Rows = append(tx.Rows, &Row{Queue: "a", Key: fmt.Sprint(i), Data: make([]byte, 1000)})
	}
	s.Commit(tx)
	s.Sync()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, FileName))
		must(t, err)
		return info.Size()
	}
	full := size()
	if got := len(drain(q, 1)); got != 8000 {
		t.Fatalf("delivered %d", got)
	}
	s.Sync()
	s.order(s.tidy)
	if size() > full/4 {
		t.Errorf("of %d bytes %d are left", full, size())
	}
	s.Commit(Tx{Rows: []*Row{row("k", 1)}})
	s.Close()
	s, states := open(t, dir)
	if got := fmt.Sprint(drain(s.Open("a", limits(1)), 1)); got != "[k1]" || len(states) != 1 {
		t.Errorf("kept %s and %v", got, states)
	}
}

func TestAtItsLimitAQueueKeepsTheNewestOfEachAlert(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func() *Store{
		"in memory": func() *Store { return Memory(zap.NewNop()) },
		"on disk":   func() *Store { s, _ := open(t, t.TempDir()); return s },
	} {
		s := make()
		q := s.Open("a", Limits{Lanes: 2, Window: 8, MaxEvents: 100, MaxBytes: 1 << 20})
		for i := range 1000 {
			s.Commit(Tx{Rows: []*Row{row(fmt.Sprint("k", i%10, "-"), i)}})
		}
		s.Sync()
		s.Sync() // the first may have begun to merge
		if n := q.Len(); n > 110 {
			t.Errorf("%s: %d rows", name, n)
		}
		last := map[string]bool{}
		for _, data := range drain(q, 2) {
			last[data] = true
		}
		for i := 990; i < 1000; i++ {
			if !last[fmt.Sprintf("k%d-%d", i%10, i)] {
				t.Errorf("%s: the newest of k%d did not come", name, i%10)
			}
		}
		counts := s.Queues()[0].Counts
		if counts.Lost != 0 || counts.Merged+counts.Delivered != 1000 {
			t.Errorf("%s: %+v", name, counts)
		}
	}
}

// TestWhatNotEvenMergingHolds has more open alerts than the queue holds: recoveries go first, then the
// youngest alerts.
func TestWhatNotEvenMergingHolds(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	q := s.Open("a", Limits{Lanes: 1, Window: 4, MaxEvents: 100, MaxBytes: 1 << 20})
	var rows []*Row
	for i := range 130 {
		rows = append(rows, &Row{Queue: "a", Key: fmt.Sprint(i), Data: fmt.Append(nil, i), Closes: i%10 == 0})
	}
	s.Commit(Tx{Rows: rows})
	s.Sync()
	s.Sync()
	kept := drain(q, 1)
	counts := s.Queues()[0].Counts
	if len(kept) != 100 || counts.Lost != 30 || counts.Delivered != 100 {
		t.Fatalf("%d rows kept, %+v", len(kept), counts)
	}
	for _, data := range kept {
		var i int
		fmt.Sscan(data, &i)
		if i%10 == 0 || i > 111 {
			t.Errorf("%d was kept; of the open ones the oldest should be, and no recovery", i)
		}
	}
}

// Empty reports whether a lane has nothing to deliver.
func (q *Queue) Empty(lane int) bool {
	q.store.mu.Lock()
	defer q.store.mu.Unlock()
	l := &q.lanes[lane]
	return len(l.rows) == 0 && len(l.tail) == 0 && !l.more
}

// TestWhatIsLateComesTogether: in a brief queue all late rows of a key, in others those up to one that closes the alert.
func TestWhatIsLateComesTogether(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rows  string // keys, in the order of their time; an upper case one closes its alert
		brief bool
		late  int64 // from this row on they are in time
		want  string
	}{
		{"xyxx", true, 4, "[[0 2] [1]]"},
		{"xyXx", true, 9, "[[0 2 3] [1]]"},
		{"XyxX", true, 9, "[[0 2 3] [1]]"},
		{"xyxx", true, 1, "[[0] [1]]"},
		{"xyxx", false, 9, "[[0] [1]]"},
		{"xyXx", false, 9, "[[0 2] [1]]"},
		{"XyxX", false, 9, "[[0] [1]]"},
		{"xyXx", false, 1, "[[0] [1]]"},
		{"xyxX", false, 2, "[[0 2 3] [1]]"},
	} {
		for _, most := range []int{5, 1} { // a batch, and one by one
			s := Memory(zap.NewNop())
			of := limits(1)
			of.Brief = test.brief
			q := s.Open("a", of)
			for i, key := range test.rows {
				lower := strings.ToLower(string(key))
				s.Commit(Tx{Rows: []*Row{{Queue: "a", Key: lower, Closes: lower != string(key), Time: int64(i + 1), Data: fmt.Append(nil, i)}}})
			}
			want := test.want
			if first, _, more := strings.Cut(want, "] ["); more && most == 1 {
				want = first + "]]"
			}
			if got := fmt.Sprint(dataOf(q.Take(0, most, test.late, nil))); got != want {
				t.Errorf("%s, brief %v, late before %d, at most %d: %s, want %s", test.rows, test.brief, test.late, most, got, want)
			}
		}
	}
}

func dataOf(parcels []Parcel) (all [][]string) {
	for _, p := range parcels {
		var one []string
		for _, row := range p.Rows {
			one = append(one, string(row.Data))
		}
		all = append(all, one)
	}
	return all
}
