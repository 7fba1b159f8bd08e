package filechange

import (
	"bytes"
	"io/fs"
	"math"
	"reflect"
	"testing"
)

func exampleMemory() *memory {
	s := state{mode: 0o4755 | fs.ModeSetuid, size: 1 << 40, mtime: math.MaxInt64, ctime: -5, inode: math.MaxUint64, uid: -1, gid: 7, link: "../x", sum: string(make([]byte, 32)), settled: true}
	return &memory{
		partial: true,
		blind:   []string{"/a", "/a/b\xff"},
		files:   []record{{"/etc/passwd", s}, {"/etc/passwe", state{}}, {"", s}},
		changes: []change{
			{path: "/etc/passwd", seen: 1, made: 2, looked: 3, steps: 4, before: &s, after: &state{}},
			{path: "/etc/p", first: true, after: &s}, {path: "", before: &s},
		},
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, m := range []*memory{{}, exampleMemory()} {
		got, err := decode(m.encode())
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("read %+v, %v\nwrote %+v", got, err, m)
		}
		if !bytes.Equal(m.encode(), got.encode()) {
			t.Error("it is written in two ways")
		}
	}
}

// FuzzDecode: damage is found or harmless, and asks for no more memory than the data could fill.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(new(memory).encode())
	f.Add(exampleMemory().encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decode(data)
		if err != nil {
			return
		}
		again, err := decode(m.encode())
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("read %+v, then %+v, %v", m, again, err)
		}
	})
}
