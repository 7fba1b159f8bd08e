package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"
)

// elsewhere fills a state directory, moves it away and puts a file in its place.
func elsewhere(t *testing.T) (dir, away string) {
	t.Helper()
	base := t.TempDir()
	dir, away = filepath.Join(base, "state.d"), filepath.Join(base, "away")
	s, _ := open(t, dir)
	s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1), row("l", 1), row("k", 2)}})
	s.Close()
	must(t, os.Rename(dir, away))
	pointTo(t, dir, os.Args[0])
	return dir, away
}

func TestAFileThatOpensLateComesBeforeWhatAWorkerHas(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{true, false} {
		dir, away := elsewhere(t)
		s, _ := open(t, dir)
		q := s.Open("a", limits(1))
		s.Commit(Tx{Rows: []*Row{row("k", 3)}})
		parcels := q.Take(0, 1, 0, nil) // under way
		pointTo(t, dir, away)
		until(t, "no trouble", func() bool { return s.Trouble() == nil })
		want := "[k1 l1 k2 k3]"
		if !fails {
			want = "[k1 l1 k2]"
			q.Settle(0, parcels, "")
		}
		s.Sync()
		got := fmt.Sprint(drain(q, 1))
		s.Sync()
		if counts := s.Queues()[0].Counts; got != want || counts.queued() != 0 || counts.Delivered != 4 {
			t.Errorf("the try fails: %v; then came %s; %+v", fails, got, counts)
		}
	}
}

func TestConcurrencyChangesWhileEventsComeIn(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true})
	must(t, err)
	many := func(lanes int) Limits { return Limits{Lanes: lanes, Window: 4, MaxEvents: 1 << 20, MaxBytes: 1 << 30} }
	s.Open("a", many(8))
	var committing sync.WaitGroup
	const total = 1000
	committing.Go(func() {
		for i := range total {
			s.Commit(Tx{Rows: []*Row{row(fmt.Sprint("x", i), i)}})
		}
	})
	for i := range 20 {
		s.Open("a", many(1+i%8))
	}
	committing.Wait()
	s.Sync()
	q := s.Open("a", many(3))
	if got := len(drain(q, 3)); got != total || q.Len() != 0 {
		t.Errorf("%d of %d came, %d are left", got, total, q.Len())
	}
	s.Close()
}

func TestAPurgeBesideAWorkerCountsEachRowOnce(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true})
	must(t, err)
	q := s.Open("a", Limits{Lanes: 1, Window: 64, MaxEvents: 500, MaxBytes: 1 << 30})
	stop := make(chan struct{})
	var worker sync.WaitGroup
	worker.Go(func() {
		for {
			parcels := q.Take(0, 5, 0, nil)
			q.Settle(0, parcels, "")
			if len(parcels) > 0 {
				continue
			}
			select {
			case <-stop:
				return
			case <-q.Wake(0):
			case <-time.After(time.Millisecond):
			}
		}
	})
	for n := range 30 {
		var rows []*Row
		for i := range 300 {
			rows = append(rows, row(fmt.Sprint("k", i%200), n))
		}
		s.Commit(Tx{Rows: rows})
		if n%3 == 0 {
			if _, err := s.Purge("a", false); err != nil {
				t.Error(err)
			}
		}
		info := s.Queues()[0]
		if info.Queued < 0 || info.Bytes < 0 {
			t.Fatalf("%+v", info)
		}
	}
	until(t, "all is delivered or purged", func() bool { return q.Len() == 0 })
	close(stop)
	worker.Wait()
	s.Sync()
	if rows, err := s.Rows("a", 0, 1000); err != nil || len(rows) != 0 || s.Queues()[0].Bytes != 0 {
		t.Errorf("%d rows are left, %v, %+v", len(rows), err, s.Queues()[0])
	}
	s.Close()
}

func TestADamagedHeadOfAQueueIsPutAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filled(t, dir)
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketQueues).Bucket([]byte("a")).Put(keyInfo, []byte("?"))
	}))
	db.Close()
	s, _ := open(t, dir)
	if s.Replaced() == nil || s.Trouble() != nil {
		t.Errorf("replaced %v, trouble %v", s.Replaced(), s.Trouble())
	}
	works(t, s, dir)
}

func TestConcurrencyChangedOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("cannot mount a small file system here (it takes root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	s, _ := open(t, dir)
	s.Open("a", limits(1))
	tx := Tx{}
	for i := range 900 {
		tx.Rows = append(tx.Rows, &Row{Queue: "a", Key: fmt.Sprint("k", i), Data: append([]byte(fmt.Sprintf("old %d ", i)), make([]byte, 1000)...)})
	}
	s.Commit(tx)
	s.Close()
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	s, _ = open(t, dir)
	q := s.Open("a", limits(3))
	var came []string
	newer := Tx{}
	for i := range 10 { // while the disk is full, and before anybody could take what waits
		newer.Rows = append(newer.Rows, &Row{Queue: "a", Key: fmt.Sprint("k", i), Data: []byte(fmt.Sprintf("new %d ", i))})
	}
	s.Commit(newer)
	came = append(came, drain(q, q.Lanes())...)
	must(t, os.Remove(filler))
	s.Commit(Tx{Rows: []*Row{row("k", 1)}})
	until(t, "no trouble", func() bool { return s.Trouble() == nil })
	for deadline := time.Now().Add(patience); q.Len() > 0; time.Sleep(5 * time.Millisecond) {
		if came = append(came, drain(q, q.Lanes())...); time.Now().After(deadline) {
			t.Fatalf("%d came, %d are left; trouble %v, %+v", len(came), q.Len(), s.Trouble(), s.Queues()[0])
		}
	}
	if len(came) != 911 {
		t.Errorf("%d came", len(came))
	}
	at := map[string]int{}
	for n, data := range came {
		at[strings.TrimRight(data, "\x00")] = n
	}
	for i := range 10 {
		if at[fmt.Sprintf("old %d ", i)] >= at[fmt.Sprintf("new %d ", i)] {
			t.Errorf("of alert %d the newer event came first", i)
		}
	}
	s.Close()
	s, _ = open(t, dir)
	if q = s.Open("a", limits(3)); q.Lanes() != 3 {
		t.Errorf("at the next start, with room, there are %d lanes", q.Lanes())
	}
}

func TestWhatOthersAskDoesNotWaitForAHungDisk(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), stall: 10 * time.Millisecond, wrote: func() { <-hang }})
	must(t, err)
	q := s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1)}})
	until(t, "trouble", func() bool { return s.Trouble() != nil })
	s.Queues()
	for i := range 3000 {
		s.Commit(Tx{Rows: []*Row{row("k", i)}})
		q.Settle(0, q.Take(0, 1, 0, nil), "no")
	}
	for i := range 3000 {
		s.Commit(Tx{Rows: []*Row{row("k", i)}})
	}
	s.mu.Lock()
	dead := len(s.pending.dead)
	s.mu.Unlock()
	if n := q.Len(); n > 1101 || dead > maxDead {
		t.Errorf("%d rows of at most 1000, %d dead letters", n, dead)
	}
	close(hang)
	s.Close()
}

func TestAPurgeLeavesTheDeadLettersOfAnOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	q := s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1), row("l", 2)}})
	s.Sync()
	q.Settle(0, q.Take(0, 1, 0, nil), "no")
	s.Close()
	s, _, err := Open(Config{Dir: dir, Log: zap.NewNop(), Owned: []string{"a", "new"}}) // as catpaw queue does
	must(t, err)
	if n, err := s.Purge("a", false); n != 1 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	if n, err := s.Redrive("a", "new"); n != 1 || err != nil {
		t.Errorf("redriven %d, %v", n, err)
	}
	s.Close()
	s, _ = open(t, dir)
	if got := fmt.Sprint(drain(s.Open("new", limits(1)), 1)); got != "[k1]" {
		t.Errorf("the other queue has %s", got)
	}
}

// TestWhatIsMovedToAnotherQueueIsNotDeliveredFromBoth redrives a queue whose worker goes on meanwhile.
func TestWhatIsMovedToAnotherQueueIsNotDeliveredFromBoth(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true})
	must(t, err)
	wide := Limits{Lanes: 1, Window: 10_000, MaxEvents: 1 << 20, MaxBytes: 1 << 30}
	from, to := s.Open("a", wide), s.Open("b", wide)
	const total = 5000
	var tx Tx
	for i := range total {
		tx.Rows = append(tx.Rows, row(fmt.Sprint("k", i), i))
	}
	s.Commit(tx)
	s.Sync()
	came := map[string]int{}
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		if _, err := s.Redrive("a", "b"); err != nil {
			t.Error(err)
		}
	}()
	for more := true; more; {
		select {
		case <-moved:
			more = false
		default:
		}
		parcels := from.Take(0, 2, 0, nil)
		for _, parcel := range parcels {
			came[string(parcel.Last().Data)]++
		}
		from.Settle(0, parcels, "")
	}
	for _, q := range []*Queue{from, to} {
		for _, data := range drain(q, 1) {
			came[data]++
		}
	}
	for data, n := range came {
		if n != 1 {
			t.Fatalf("%s came %d times", data, n)
		}
	}
	if len(came) != total || from.Len()+to.Len() != 0 {
		t.Errorf("%d of %d came, %d are left", len(came), total, from.Len()+to.Len())
	}
	s.Close()
}

// TestASpoiltDeadLetterHidesNoOther spoils one of three in the file.
func TestASpoiltDeadLetterHidesNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, dir)
	q := s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1), row("l", 2), row("m", 3)}})
	s.Sync()
	q.Settle(0, q.Take(0, 3, 0, nil), strings.Repeat("no! ", 50_000))
	s.Close()
	db, err := bbolt.Open(filepath.Join(dir, FileName), 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		dead := findQueue(tx, "a", 1).dead
		key, _ := dead.Cursor().First()
		return dead.Put(append([]byte(nil), key...), []byte("?"))
	}))
	db.Close()
	s, _ = open(t, dir)
	q = s.Open("a", limits(1))
	letters, err := s.DeadLetters("a")
	if err != nil || len(letters) != 3 || letters[0].Row == nil || len(letters[1].Reason) > 1000 {
		t.Fatalf("%d letters, %v", len(letters), err)
	}
	if n, err := s.Redrive("a", "a"); n != 2 || err != nil {
		t.Errorf("redriven %d, %v", n, err)
	}
	if got := fmt.Sprint(drain(q, 1)); got != "[l2 m3]" {
		t.Errorf("came %s", got)
	}
	if n, err := s.Purge("a", true); n != 1 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
}
