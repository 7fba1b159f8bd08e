package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"
)

const patience = 20 * time.Second // of tests that wait for something to happen

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// filled makes a file with a state and 400 rows in the queue.
func filled(t *testing.T, dir string) (path string) {
	t.Helper()
	s, _ := open(t, dir)
	s.Open("a", limits(1))
	tx := Tx{States: []State{{"k", []byte("firing")}}}
	for i := range 400 {
		tx.Rows = append(tx.Rows, row(fmt.Sprint("k", i, strings.Repeat("-", 200)), i))
	}
	s.Commit(tx)
	s.Sync()
	s.Close()
	return filepath.Join(dir, FileName)
}

// works fails the test unless the store keeps what it is given.
func works(t *testing.T, s *Store, dir string) {
	t.Helper()
	until(t, "no trouble", func() bool { return s.Trouble() == nil })
	s.Open("b", limits(1))
	s.Commit(Tx{Rows: []*Row{{Queue: "b", Key: "new", Data: []byte("new")}}})
	s.Sync()
	s.Close()
	s, _ = open(t, dir)
	if got := fmt.Sprint(drain(s.Open("b", limits(1)), 1)); got != "[new]" {
		t.Errorf("kept %s", got)
	}
}

func TestAFileThatCannotBeReadIsPutAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(image []byte) []byte
		kept  string
	}{
		"no database at all":  {func([]byte) []byte { return bytes.Repeat([]byte("hello "), 10000) }, "corrupt"},
		"a few bytes":         {func([]byte) []byte { return []byte("hello") }, "corrupt"},
		"both heads are gone": {func(b []byte) []byte { clear(b[:2*pageSize]); return b }, "corrupt"},
		"cut in the middle":   {func(b []byte) []byte { return b[:65536] }, "corrupt"},
		"a page leads back to itself": {func(b []byte) []byte {
			for at := 2 * pageSize; at+pageSize <= len(b); at += pageSize {
				if count := native.Uint16(b[at+10:]); native.Uint16(b[at+8:]) == flagBranch && count > 1 {
					native.PutUint64(b[at+pageHead+pageElement+8:], native.Uint64(b[at:]))
				}
			}
			return b
		}, "corrupt"},
		"cut behind its heads":      {func(b []byte) []byte { return b[:2*pageSize] }, "corrupt"},
		"written by a later layout": {nil, "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filled(t, dir)
			spoil(t, path, c.spoil)
			spoiled, _ := os.ReadFile(path)
			s, states := open(t, dir)
			if len(states) != 0 || s.Replaced() == nil {
				t.Errorf("states %v, replaced %v", states, s.Replaced())
			}
			wantAside(t, dir, c.kept, spoiled)
			works(t, s, dir)
		})
	}
}

func spoil(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	if change == nil {
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(keyVersion, binary.BigEndian.AppendUint32(nil, 99))
		}); err != nil {
			t.Fatal(err)
		}
		return
	}
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(image), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantAside(t *testing.T, dir, why string, image []byte) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, FileName+"."+why+"-*"))
	if len(found) != 1 {
		t.Fatalf("put aside as %v", found)
	}
	if kept, err := os.ReadFile(found[0]); err != nil || !bytes.Equal(kept, image) {
		t.Errorf("what was put aside is not the file: %v", err)
	}
}

func TestDamageFoundLaterIsPutAsideAndMemoryIsWrittenAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filled(t, dir)
	image, err := os.ReadFile(path)
	must(t, err)
	reset := make(chan []State, 1)
	s, states, err := Open(Config{Dir: dir, Log: zap.NewNop(), OnReset: func(found []State) { reset <- found }})
	if err != nil || len(states) != 1 {
		t.Fatal(states, err)
	}
	spoilt, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer spoilt.Close()
	for page := 2; page < len(image)/pageSize; page++ { // the disk goes bad under the running agent
		if bytes.Contains(image[page*pageSize:(page+1)*pageSize], []byte("k300")) {
			_, err := spoilt.WriteAt(bytes.Repeat([]byte{0xff}, 64), int64(page*pageSize+8))
			must(t, err)
		}
	}
	defer func() {
		select {
		case <-s.ended:
		default:
			s.Close()
		}
	}()
	q := s.Open("a", limits(1))
	delivered := map[string]bool{}
	until(t, "everything that can be read is delivered", func() bool {
		for _, data := range drain(q, 1) {
			delivered[data] = true
		}
		return q.Empty(0) && s.Trouble() == nil && s.Replaced() != nil
	})
	<-reset
	counts := s.Queues()[0].Counts
	if len(delivered) == 0 || counts.Lost == 0 || counts.queued() != 0 {
		t.Errorf("delivered %d, counts %+v", len(delivered), counts)
	}
	if found, _ := filepath.Glob(path + ".corrupt-*"); len(found) != 1 {
		t.Errorf("put aside as %v", found)
	}
	works(t, s, dir)
}

func TestARemovedDirectoryComesBackWithEverythingInIt(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state.d")
	s, _ := open(t, dir)
	s.Open("a", limits(1))
	for i := range 10 {
		s.Commit(Tx{Rows: []*Row{row("k", i)}})
		s.Sync()
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s.Commit(Tx{Rows: []*Row{row("k", 10)}})
	s.Sync()
	if s.Trouble() != nil {
		t.Fatal(s.Trouble())
	}
	s.Close()
	s, _ = open(t, dir)
	if q := s.Open("a", limits(1)); q.Len() != 11 || len(drain(q, 1)) != 11 {
		t.Errorf("%d rows came back", q.Len())
	}
}

// TestADirectoryThatCannotBeUsed starts where the state directory cannot be made, works from memory, and
// finds the file of an earlier time when the trouble is over.
func TestADirectoryThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir, away := filepath.Join(base, "state.d"), filepath.Join(base, "away")
	s, _ := open(t, dir)
	s.Open("a", limits(2))
	s.Commit(Tx{States: []State{{"old", []byte("firing")}}, Rows: []*Row{row("k", 1), row("l", 1)}, Memos: []Memo{{"c", []byte("m")}}})
	s.Sync()
	s.Close()
	must(t, os.Rename(dir, away))
	pointTo(t, dir, os.Args[0]) // a file where the directory should be

	reset := make(chan []State, 1)
	s, states, err := Open(Config{Dir: dir, Log: zap.NewNop(), OnReset: func(found []State) { reset <- found }})
	if err != nil || s.Trouble() == nil || len(states) != 0 {
		t.Fatal(err, s.Trouble())
	}
	q := s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 2)}})
	s.Sync()
	if got := fmt.Sprint(drain(q, 1)); got != "[k2]" {
		t.Errorf("delivered from memory: %s", got)
	}
	s.Commit(Tx{Rows: []*Row{row("k", 3)}})
	s.Sync()
	pointTo(t, dir, away)
	until(t, "no trouble", func() bool { return s.Trouble() == nil })
	if found := <-reset; fmt.Sprint(found) != fmt.Sprint([]State{{"old", []byte("firing")}}) {
		t.Errorf("found %v", found)
	}
	if string(s.Memo("c")) != "m" {
		t.Error("the memo of before is gone")
	}
	s.Close()
	s, _ = open(t, dir)
	if got := fmt.Sprint(drain(s.Open("a", limits(1)), 1)); got != "[k1 l1 k3]" {
		t.Errorf("kept %s", got)
	}
}

// pointTo makes a symbolic link, in place of the one that may be there, in one step: the store tries again
// at any moment, and would fill a gap.
func pointTo(t *testing.T, link, target string) {
	t.Helper()
	must(t, os.Symlink(target, link+".new"))
	must(t, os.Rename(link+".new", link))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestADiskThatDoesNotAnswerHoldsUpNobody has a transaction that does not come back.
func TestADiskThatDoesNotAnswerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	hang, hangs := make(chan struct{}), make(chan struct{}, 100)
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), stall: 10 * time.Millisecond, wrote: func() {
		hangs <- struct{}{}
		<-hang
	}})
	must(t, err)
	q := s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1)}})
	<-hangs
	for n := 2; n < 5; n++ {
		s.Commit(Tx{Rows: []*Row{row("k", n)}})
	}
	until(t, "trouble is seen", func() bool { return s.Trouble() != nil })
	if got := fmt.Sprint(drain(q, 1)); got != "[k1 k2 k3 k4]" {
		t.Errorf("delivered %s", got)
	}
	close(hang)
	until(t, "no trouble", func() bool { return s.Trouble() == nil })
	s.Sync()
	if counts := s.Queues()[0].Counts; counts.Delivered != 4 || counts.queued() != 0 || !q.Empty(0) {
		t.Errorf("counts %+v", counts)
	}
	s.Close()
}

// TestNobodyWaitsForADiskThatHangs longer than until it counts as stalled, and once it does, not at all.
func TestNobodyWaitsForADiskThatHangs(t *testing.T) {
	t.Parallel()
	hang, hangs := make(chan struct{}), make(chan struct{}, 100)
	s, _, err := Open(Config{Dir: t.TempDir(), Log: zap.NewNop(), stall: 50 * time.Millisecond, wrote: func() {
		hangs <- struct{}{}
		<-hang
	}})
	must(t, err)
	s.Commit(Tx{Memos: []Memo{{"c", []byte("1")}}})
	<-hangs
	synced := make(chan error, 10)
	for range cap(synced) {
		go func() { synced <- s.Sync() }()
	}
	for range cap(synced) {
		select {
		case err := <-synced:
			if err == nil || !strings.Contains(err.Error(), "the disk has not ") {
				t.Errorf("told to be on disk, or why not: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("it waits for the disk")
		}
	}
	begun := time.Now()
	for range 100 {
		s.Commit(Tx{Memos: []Memo{{"c", []byte("2")}}})
		if s.Sync() == nil {
			t.Fatal("it is not on disk")
		}
	}
	if took := time.Since(begun); took > 50*time.Millisecond*50 { // half of what it would take if each waited
		t.Errorf("each waits again: %s", took)
	}
	s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1)}})
	for what, ask := range map[string]func() error{
		"rows":         func() error { _, err := s.Rows("a", 0, 1); return err },
		"dead letters": func() error { _, err := s.DeadLetters("a"); return err },
		"purge":        func() error { _, err := s.Purge("a", false); return err },
		"redrive":      func() error { _, err := s.Redrive("a", "a"); return err },
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), "the disk has not ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	close(hang)
	until(t, "no trouble", func() bool { return s.Trouble() == nil })
	if err := s.Sync(); err != nil {
		t.Error(err)
	}
	if n, err := s.Purge("a", false); n != 1 || err != nil {
		t.Errorf("purged %d, %v: what was said not to be done was", n, err)
	}
	s.Close()
	s, _ = open(t, s.config.Dir)
	if string(s.Memo("c")) != "2" {
		t.Errorf("kept %q", s.Memo("c"))
	}
}

// TestTwoAgentsDoNotFightForOnePlace removes the directory under one agent, which another then uses.
func TestTwoAgentsDoNotFightForOnePlace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state.d")
	first, _ := open(t, dir)
	first.Open("a", limits(1))
	must(t, os.RemoveAll(dir))
	second, _ := open(t, dir)
	if second.Trouble() == nil { // else the first was quicker to write its file again
		second.Open("b", limits(1))
		for n := range 3 {
			first.Commit(Tx{Rows: []*Row{row("k", n)}})
			first.Sync()
			second.Commit(Tx{Rows: []*Row{{Queue: "b", Key: "k", Data: []byte("x")}}})
			second.Sync()
		}
		if first.Trouble() == nil || !strings.Contains(first.Trouble().Text, "another catpaw") || second.Trouble() != nil {
			t.Errorf("first %v, second %v", first.Trouble(), second.Trouble())
		}
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*replaced*")); len(found) != 0 {
		t.Errorf("put aside: %v", found)
	}
}
