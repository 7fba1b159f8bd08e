package store

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestWhatAHangingDiskShowsIsDeliveredOnce: the file can be read already, but whether it keeps that nobody knows.
func TestWhatAHangingDiskShowsIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	for _, before := range []int{0, 1, 4, 20, 200} { // rows of the lane that wait, of which four are in memory
		hang := make(chan struct{})
		var hangs atomic.Bool
		s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true, stall: 50 * time.Millisecond, wrote: func() {
			if hangs.Load() {
				<-hang
			}
		}})
		must(t, err)
		q := s.Open("a", limits(1))
		var tx Tx
		var want []string
		for i := range before + 2 {
			tx.Rows = append(tx.Rows, row("k", i))
			want = append(want, fmt.Sprint("k", i))
		}
		last := tx.Rows[before:]
		tx.Rows = tx.Rows[:before]
		s.Commit(tx)
		until(t, "it is on disk", func() bool { return s.Sync() == nil })
		hangs.Store(true)
		s.Commit(Tx{Rows: last})
		until(t, "trouble is seen", func() bool { return s.Trouble() != nil })
		got := drain(q, 1)
		hangs.Store(false)
		close(hang)
		until(t, "no trouble", func() bool { return s.Trouble() == nil })
		until(t, "it is on disk again", func() bool { return s.Sync() == nil })
		got = append(got, drain(q, 1)...)
		c := s.Queues()[0]
		if !slices.Equal(got, want) || c.Counts.Delivered != uint64(len(want)) || c.Counts.queued() != 0 || c.Bytes != 0 {
			t.Errorf("%d waited: delivered %v, counts %+v, %d bytes", before, got, c.Counts, c.Bytes)
		}
		s.Close()
	}
}

// TestTheWriterSharesNothingWithWhoAsks what is coming, while it writes dead letters.
func TestTheWriterSharesNothingWithWhoAsks(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true})
	must(t, err)
	q := s.Open("a", limits(2))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				q.Coming(0)
				q.Settle(1, q.Take(1, 100, 0, nil), "no")
			}
		}
	}()
	for n := range 100 {
		var tx Tx
		for i := range 50 {
			tx.Rows = append(tx.Rows, row(fmt.Sprint("k", i), n))
		}
		s.Commit(tx)
	}
	must(t, s.Sync())
	close(stop)
	<-stopped
	s.Close()
}

// TestAnAlertThatIsNotTakenFillsNoLane: its rows are more than a lane holds in memory, and before those of others.
func TestAnAlertThatIsNotTakenFillsNoLane(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	q := s.Open("a", limits(1))
	var tx Tx
	for i := range 100 { // far more than four windows
		tx.Rows = append(tx.Rows, row("stuck", i))
	}
	tx.Rows = append(tx.Rows, row("other", 0))
	s.Commit(tx)
	must(t, s.Sync())
	stuck := func(key string) bool { return key == "stuck" }
	var got []Parcel
	for range 100 {
		if got = q.Take(0, 1, 0, stuck); len(got) > 0 {
			break
		}
		q.Thin(0, stuck)
	}
	if len(got) != 1 || got[0].Last().Key != "other" {
		t.Fatalf("got %v", got)
	}
	q.Settle(0, got, "")
	rest := drain(q, 1)
	if len(rest) == 0 || rest[len(rest)-1] != "stuck99" {
		t.Errorf("of the alert itself %v come", rest)
	}
	must(t, s.Sync())
	if c := s.Queues()[0].Counts; c.Merged < 50 || c.Merged+c.Delivered != 101 || c.queued() != 0 {
		t.Errorf("%+v", c)
	}
}
