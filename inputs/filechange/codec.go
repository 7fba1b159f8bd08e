package filechange

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
)

// The memory is written as a version, flags, and four lists, each with its length before it. Numbers are
// varints, texts have their length before them, and a path tells how many bytes it shares with the one
// before it in its list. A file takes some 35 bytes, and 32 more with a checksum.
const version = 1

const (
	flagPartial = 1 << iota
	flagFirst
	flagBefore
	flagAfter
	flagSettled
)

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

func (m *memory) encode() []byte {
	w := writer{data: make([]byte, 0, 64+96*len(m.files))}
	w.data = append(w.data, version, flag(m.partial, flagPartial))
	w.list(len(m.blind))
	for _, path := range m.blind {
		w.path(path)
	}
	w.list(len(m.files))
	for i := range m.files {
		w.path(m.files[i].path)
		w.state(&m.files[i].state)
	}
	for _, changes := range [][]change{m.changes, m.past} {
		w.list(len(changes))
		for i := range changes {
			w.change(&changes[i])
		}
	}
	w.number(int64(m.ended))
	return w.data
}

type writer struct {
	data []byte
	last string // path in this list
}

func (w *writer) list(n int) {
	w.last = ""
	w.data = binary.AppendUvarint(w.data, uint64(n))
}

func (w *writer) number(n int64) { w.data = binary.AppendVarint(w.data, n) }

func (w *writer) text(text string) {
	w.data = binary.AppendUvarint(w.data, uint64(len(text)))
	w.data = append(w.data, text...)
}

func (w *writer) path(path string) {
	shared := 0
	for shared < min(len(path), len(w.last)) && path[shared] == w.last[shared] {
		shared++
	}
	w.data = binary.AppendUvarint(w.data, uint64(shared))
	w.text(path[shared:])
	w.last = path
}

func (w *writer) state(s *state) {
	w.data = append(w.data, flag(s.settled, flagSettled))
	w.data = binary.AppendUvarint(w.data, uint64(s.mode))
	w.data = binary.AppendUvarint(w.data, s.inode)
	for _, n := range [...]int64{s.size, s.mtime, s.ctime, s.uid, s.gid} {
		w.number(n)
	}
	w.text(s.link)
	w.text(s.sum)
}

func (w *writer) change(c *change) {
	w.path(c.path)
	w.data = append(w.data, flag(c.first, flagFirst)|flag(c.before != nil, flagBefore)|flag(c.after != nil, flagAfter))
	for _, n := range [...]int64{c.seen, c.made, c.looked, int64(c.steps)} {
		w.number(n)
	}
	for _, s := range []*state{c.before, c.after} {
		if s != nil {
			w.state(s)
		}
	}
}

// decode reads what encode wrote.
func decode(data []byte) (*memory, error) {
	if len(data) > 0 && data[0] != version {
		return nil, fmt.Errorf("it is of version %d, this catpaw knows version %d", data[0], version)
	}
	r := reader{data: data}
	r.flags()
	m := &memory{partial: r.flags()&flagPartial != 0}
	for range r.list() {
		m.blind = append(m.blind, r.path())
	}
	for range r.list() {
		m.files = append(m.files, record{r.path(), r.state()})
	}
	for _, changes := range []*[]change{&m.changes, &m.past} {
		for range r.list() {
			*changes = append(*changes, r.change())
		}
	}
	m.ended = int(r.number())
	if r.broken || len(r.data) > 0 {
		return nil, errors.New("it is damaged")
	}
	return m, nil
}

// reader takes values from the front of data. Once something is wrong, it is broken and has no more data,
// and all further values are zero.
type reader struct {
	data   []byte
	last   string
	broken bool
}

func (r *reader) fail() {
	r.data, r.broken = nil, true
}

func (r *reader) flags() byte {
	if len(r.data) == 0 {
		r.fail()
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) unsigned() uint64 {
	value, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[n:]
	return value
}

func (r *reader) number() int64 {
	value, n := binary.Varint(r.data)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[n:]
	return value
}

// list returns a length. No item takes less than two bytes, so a damaged one asks for no room beyond
// what the data could fill.
func (r *reader) list() int {
	r.last = ""
	n := r.unsigned()
	if n > uint64(len(r.data)/2) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.unsigned()
	if n > uint64(len(r.data)) {
		r.fail()
		return ""
	}
	text := string(r.data[:n])
	r.data = r.data[n:]
	return text
}

// maxPath bounds what a damaged memory could make of shared beginnings.
const maxPath = 64 << 10

func (r *reader) path() string {
	shared, rest := r.unsigned(), r.text()
	if shared > uint64(len(r.last)) || shared+uint64(len(rest)) > maxPath {
		r.fail()
		return ""
	}
	r.last = r.last[:shared] + rest
	return r.last
}

func (r *reader) state() (s state) {
	s.settled = r.flags()&flagSettled != 0
	s.mode = fs.FileMode(r.unsigned())
	s.inode = r.unsigned()
	for _, n := range [...]*int64{&s.size, &s.mtime, &s.ctime, &s.uid, &s.gid} {
		*n = r.number()
	}
	s.link, s.sum = r.text(), r.text()
	return s
}

func (r *reader) change() (c change) {
	c.path = r.path()
	flags := r.flags()
	c.first = flags&flagFirst != 0
	for _, n := range [...]*int64{&c.seen, &c.made, &c.looked} {
		*n = r.number()
	}
	c.steps = int(r.number())
	if flags&flagBefore != 0 {
		s := r.state()
		c.before = &s
	}
	if flags&flagAfter != 0 {
		s := r.state()
		c.after = &s
	}
	return c
}
