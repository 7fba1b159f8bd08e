package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAFullDisk fills a small file system of its own. What is committed meanwhile is delivered from
// memory, and on disk when there is room again.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("cannot mount a small file system here (it takes root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	s, _ := open(t, dir)
	q := s.Open("a", limits(1))
	s.Commit(Tx{Rows: []*Row{row("k", 1)}, States: []State{{"k", []byte("firing")}}})
	s.Sync()
	if s.Trouble() != nil {
		t.Fatal(s.Trouble())
	}
	filler := filepath.Join(dir, "filler")
	fill(t, filler)

	big := strings.Repeat("x", 10_000)
	n := 1
	for s.Trouble() == nil && n < 1000 { // free pages of the file take some
		n++
		s.Commit(Tx{Rows: []*Row{{Queue: "a", Key: "k", Data: fmt.Append(nil, n, big)}}})
		s.Sync()
	}
	if s.Trouble() == nil || !strings.Contains(s.Trouble().Text, "disk is full") {
		t.Fatalf("after %d rows: %v", n, s.Trouble())
	}
	s.Commit(Tx{States: []State{{"k", nil}, {"l", []byte("firing")}}})
	s.Sync()
	var got []string
	for _, data := range drain(q, 1)[:n-1] {
		got = append(got, strings.TrimRight(data, "x"))
	}
	for i, data := range got[1:] {
		if data != fmt.Sprint(i+2) {
			t.Fatalf("delivery %d is %s", i+2, data)
		}
	}
	s.Commit(Tx{Rows: []*Row{row("late", 7)}})
	s.Sync()
	must(t, os.Remove(filler))
	until(t, "no trouble", func() bool { return s.Trouble() == nil })
	s.Close()
	s, states := open(t, dir)
	if fmt.Sprint(states) != fmt.Sprint([]State{{"l", []byte("firing")}}) {
		t.Errorf("states %v", states)
	}
	if got := fmt.Sprint(drain(s.Open("a", limits(1)), 1)); got != "[late7]" {
		t.Errorf("kept %s", got)
	}
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !strings.Contains(err.Error(), "no space") {
		t.Fatal(err)
	}
}
