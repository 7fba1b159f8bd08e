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
		s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), stall: 50 * time.Millisecond, wrote: func() {
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
		must(t, s.Sync())
		hangs.Store(true)
		s.Commit(Tx{Rows: last})
		until(t, "trouble is seen", func() bool { return s.Trouble() != nil })
		got := drain(q, 1)
		hangs.Store(false)
		close(hang)
		until(t, "no trouble", func() bool { return s.Trouble() == nil })
		must(t, s.Sync())
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
