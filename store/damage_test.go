package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
)

// TestRandomDamage spoils a file in random places and ways and then lives with it: it may lose what the
// file held, but must neither fall nor hang, and must keep what is committed from then on.
func TestRandomDamage(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(filled(t, t.TempDir()))
	must(t, err)
	for i := range 60 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(uint64(i), 0))
			image := append([]byte(nil), good...)
			for range 1 + random.IntN(20) {
				at := random.IntN(200 << 10) // where there is something
				switch random.IntN(4) {
				case 0:
					image[at] ^= 1 << random.IntN(8)
				case 1:
					clear(image[at/pageSize*pageSize : at/pageSize*pageSize+pageSize])
				case 2:
					copy(image[at/pageSize*pageSize:], image[random.IntN(50)*pageSize:][:pageSize]) // another page
				case 3:
					for j := range min(16, len(image)-at) {
						image[at+j] = byte(random.Uint32())
					}
				}
			}
			if random.IntN(4) == 0 {
				image = image[:random.IntN(len(image))]
			}
			liveWith(t, image)
		})
	}
}

func liveWith(t *testing.T, image []byte) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, FileName), image, 0o600))
	s, _, err := Open(Config{Dir: dir, Log: zap.NewNop(), stall: time.Second})
	must(t, err)
	q := s.Open("a", limits(2))
	for n := range 20 {
		s.Commit(Tx{Rows: []*Row{row("new", n)}, States: []State{{fmt.Sprint(n), []byte("firing")}}})
		drain(q, 2)
	}
	until(t, "the file is good, or a new one is", func() bool { drain(q, 2); return s.Trouble() == nil })
	s.Open("b", limits(1))
	s.Commit(Tx{Rows: []*Row{{Queue: "b", Key: "k", Data: []byte("kept")}}})
	s.Sync()
	if s.Trouble() == nil && s.Close() == 0 {
		s, _, err = Open(Config{Dir: dir, Log: zap.NewNop()})
		must(t, err)
		if got := fmt.Sprint(drain(s.Open("b", limits(1)), 1)); got != "[kept]" && s.Replaced() == nil {
			t.Errorf("kept %s", got)
		}
		s.Close()
	}
}

// TestASpoiltRowCostsOnlyItself flips one bit in the data of one row.
func TestASpoiltRowCostsOnlyItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filled(t, dir)
	image, err := os.ReadFile(path)
	must(t, err)
	at := bytes.LastIndex(image, []byte("k123--"))
	image[at+10] ^= 4
	must(t, os.WriteFile(path, image, 0o600))
	s, _ := open(t, dir)
	for _, lanes := range []int{3, 1} { // also when it is moved to another lane
		s.Open("a", limits(lanes))
	}
	q := s.Open("a", limits(2))
	if got := drain(q, 2); len(got) != 399 || s.Trouble() != nil {
		t.Errorf("%d rows came; %v", len(got), s.Trouble())
	}
	s.Sync()
	if counts := s.Queues()[0].Counts; counts.Lost != 1 || counts.Delivered != 399 || counts.queued() != 0 {
		t.Errorf("counts %+v", counts)
	}
}
