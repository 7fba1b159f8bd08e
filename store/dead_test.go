package store

import "testing"

// TestTheNewestDeadLetterOfAKeyIsFound, whether it is in the file yet or not.
func TestTheNewestDeadLetterOfAKeyIsFound(t *testing.T) {
	t.Parallel()
	s, _ := open(t, t.TempDir())
	defer s.Close()
	q := s.Open("a", limits(1))
	refuse := func(key, reason string) {
		t.Helper()
		s.Commit(Tx{Rows: []*Row{{Queue: "a", Key: key, Data: []byte(key)}}})
		s.Sync()
		q.Settle(0, q.Take(0, 1, 0, nil), reason)
	}
	want := func(key, reason string) {
		t.Helper()
		letters, err := s.Refused("a", map[string]bool{key: true})
		got := ""
		if letter := letters[key]; letter != nil {
			got = letter.Reason
		}
		if err != nil || got != reason || len(letters) > 1 {
			t.Errorf("of %s: %q (%v), want %q", key, got, err, reason)
		}
	}
	refuse("k", "400")
	want("k", "400") // it may be on its way to the file
	s.Sync()
	want("k", "400")
	refuse("k", "413")
	refuse("other", "404")
	want("k", "413")
	s.Sync()
	want("k", "413")
	want("nobody", "")
	if _, err := s.Redrive("a", "a"); err != nil {
		t.Fatal(err)
	}
	want("k", "")
	if letters, err := s.Refused("no queue", nil); err != nil || len(letters) > 0 {
		t.Error(letters, err)
	}
}
