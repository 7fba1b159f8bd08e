package store

import (
	"fmt"
	"testing"

	"go.uber.org/zap"
)

// TestForgettingLosesNothing, whatever is written, read and rewritten beside it.
func TestForgettingLosesNothing(t *testing.T) {
	t.Parallel()
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Open("a", Limits{Lanes: 1, Window: 4})
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			default:
				s.Forget()
			}
		}
	}()
	const rows = 300
	for i := range rows {
		s.Commit(Tx{Rows: []*Row{row(fmt.Sprint("k", i), i)}, States: []State{{fmt.Sprint(i), make([]byte, 1000)}}})
		if i%50 == 0 {
			s.order(func() {
				if err := s.file.rewrite(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	s.Sync()
	found, err := s.Rows("a", 0, 2*rows)
	close(end)
	<-ended
	if err != nil || len(found) != rows {
		t.Errorf("%d rows of %d: %v", len(found), rows, err)
	}
	if lost := s.Close(); lost != 0 {
		t.Errorf("%d lost", lost)
	}
	s.Forget() // of a file that is closed: nothing happens
	Memory(zap.NewNop()).Forget()
}
