package journaltail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	readBuffer = 64 << 10
	maxMessage = 64 << 10 // bytes of a message that are looked at
	maxField   = 4 << 10  // bytes of any other field
	maxNesting = 4        // of arrays in a field: journalctl needs two
)

// entry is one entry of the journal, as far as it is of use. Its fields are valid until the next one.
type entry struct {
	time int64 // microseconds since 1970

	cursor, realtime, message   []byte
	identifier, comm, exe, unit []byte
	pid, syslogPID, host        []byte
}

// outputFields are the fields that journalctl is asked for, beside those that it always gives.
const outputFields = "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_COMM,_EXE,_HOSTNAME,_PID,_SYSTEMD_UNIT"

// field is where the value of a key goes; nil = nowhere.
func (e *entry) field(key []byte) *[]byte {
	switch string(key) {
	case "MESSAGE":
		return &e.message
	case "__CURSOR":
		return &e.cursor
	case "__REALTIME_TIMESTAMP":
		return &e.realtime
	case "SYSLOG_IDENTIFIER":
		return &e.identifier
	case "SYSLOG_PID":
		return &e.syslogPID
	case "_COMM":
		return &e.comm
	case "_EXE":
		return &e.exe
	case "_HOSTNAME":
		return &e.host
	case "_PID":
		return &e.pid
	case "_SYSTEMD_UNIT":
		return &e.unit
	}
	return nil
}

func (e *entry) reset() {
	for _, field := range []*[]byte{&e.cursor, &e.realtime, &e.message, &e.identifier, &e.comm, &e.exe, &e.unit, &e.pid, &e.syslogPID, &e.host} {
		*field = (*field)[:0]
	}
}

// decoder reads what journalctl -o json prints: one object an entry, each field a string, an array of byte
// numbers where it is not UTF-8 or not printable, null, or an array of these where the entry has the field
// several times (systemd.io, "Journal Export Formats"). It is written for this and keeps a bounded part of
// each field, so that neither a flood nor one huge entry needs memory; with encoding/json into a struct
// 100,000 entries cost three times the CPU.
type decoder struct {
	r        io.Reader
	buf      []byte
	pos, end int // what was read and not yet used is buf[pos:end]
	err      error
	key      []byte
}

func newDecoder(r io.Reader) *decoder { return &decoder{r: r, buf: make([]byte, readBuffer)} }

// next reads the next entry. io.EOF is the end between two entries, io.ErrUnexpectedEOF one in the middle.
func (d *decoder) next(e *entry) error {
	if err := d.begin(); err != nil {
		return err
	}
	e.reset()
	if err := d.object(e); err != nil {
		return err
	}
	var err error
	if e.time, err = strconv.ParseInt(string(e.realtime), 10, 64); err != nil || len(e.cursor) == 0 {
		return errors.New("it printed an entry without time or cursor")
	}
	return nil
}

// begin finds the next object. Remarks as "-- No entries --", which some versions print between them, are
// skipped.
func (d *decoder) begin() error {
	for {
		c, err := d.token()
		switch {
		case err != nil:
			return err
		case c == '{':
			return nil
		case c != '-':
			return d.strange()
		}
		for c != '\n' {
			if c, err = d.next1(); err != nil {
				return err
			}
		}
	}
}

// object reads the fields of an entry, its brace being read.
func (d *decoder) object(e *entry) error {
	for {
		c, err := d.inside()
		switch {
		case err != nil:
			return err
		case c == '}':
			return nil
		case c == ',':
			continue
		case c != '"':
			return d.strange()
		}
		d.key = d.key[:0]
		if err := d.text(&d.key, maxField); err != nil {
			return err
		}
		if c, err = d.inside(); err != nil {
			return err
		} else if c != ':' {
			return d.strange()
		}
		field := e.field(d.key)
		limit := maxField
		if field == &e.message {
			limit = maxMessage
		}
		if err := d.value(field, limit, 0); err != nil {
			return err
		}
	}
}

// value reads one value into a field. Of several values each is a line.
func (d *decoder) value(into *[]byte, limit, depth int) error {
	c, err := d.inside()
	switch {
	case err != nil:
		return err
	case c == '"':
		return d.text(into, limit)
	case c == '[' && depth < maxNesting:
		return d.array(into, limit, depth)
	case c == 'n' || c == 't' || c == 'f' || c == '-' || isDigit(c):
		return d.word()
	}
	return d.strange()
}

func (d *decoder) array(into *[]byte, limit, depth int) error {
	for some := false; ; {
		c, err := d.inside()
		switch {
		case err != nil:
			return err
		case c == ']':
			return nil
		case c == ',':
		case isDigit(c):
			if err := d.number(c, into, limit); err != nil {
				return err
			}
		default:
			if some {
				keep(into, limit, '\n')
			}
			some = true
			d.pos--
			if err := d.value(into, limit, depth+1); err != nil {
				return err
			}
		}
	}
}

// number reads a byte of which the first digit is read.
func (d *decoder) number(c byte, into *[]byte, limit int) error {
	value := 0
	for isDigit(c) {
		if value = value*10 + int(c-'0'); value > 255 {
			return d.strange()
		}
		var err error
		if c, err = d.inside1(); err != nil {
			return err
		}
	}
	d.pos--
	keep(into, limit, byte(value))
	return nil
}

// word skips a number, null, true or false.
func (d *decoder) word() error {
	for {
		c, err := d.inside1()
		if err != nil {
			return err
		}
		if c == ',' || c == '}' || c == ']' || isSpace(c) {
			d.pos--
			return nil
		}
	}
}

// text reads a string, its quote being read, and keeps the first limit bytes.
func (d *decoder) text(into *[]byte, limit int) error {
	for {
		if d.pos == d.end && !d.more() {
			return d.ended()
		}
		plain := d.buf[d.pos:d.end]
		if i := bytes.IndexByte(plain, '"'); i >= 0 {
			plain = plain[:i]
		}
		if i := bytes.IndexByte(plain, '\\'); i >= 0 {
			plain = plain[:i]
		}
		keep(into, limit, plain...)
		d.pos += len(plain)
		if d.pos == d.end {
			continue
		}
		d.pos++
		if d.buf[d.pos-1] == '"' {
			return nil
		}
		if err := d.escape(into, limit); err != nil {
			return err
		}
	}
}

// escapes are what may follow a backslash, beside u.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (d *decoder) escape(into *[]byte, limit int) error {
	c, err := d.inside1()
	if err != nil {
		return err
	}
	if c != 'u' {
		if escapes[c] == 0 {
			return d.strange()
		}
		keep(into, limit, escapes[c])
		return nil
	}
	r, err := d.hex()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) && d.skip(`\u`) {
		low, err := d.hex()
		if err != nil {
			return err
		}
		r = utf16.DecodeRune(r, low)
	}
	var encoded [utf8.UTFMax]byte
	keep(into, limit, encoded[:utf8.EncodeRune(encoded[:], r)]...)
	return nil
}

// hex reads the four digits of an escape.
func (d *decoder) hex() (rune, error) {
	var digits [4]byte
	for i := range digits {
		c, err := d.inside1()
		if err != nil {
			return 0, err
		}
		digits[i] = c
	}
	value, err := strconv.ParseUint(string(digits[:]), 16, 16)
	if err != nil {
		return 0, d.strange()
	}
	return rune(value), nil
}

// keep appends to a field, up to its limit.
func keep(into *[]byte, limit int, more ...byte) {
	if into == nil {
		return
	}
	if room := limit - len(*into); len(more) > room {
		more = more[:max(0, room)]
	}
	*into = append(*into, more...)
}

// token reads the next byte that is no white space.
func (d *decoder) token() (byte, error) {
	for {
		c, err := d.next1()
		if err != nil || !isSpace(c) {
			return c, err
		}
	}
}

// next1 reads a byte.
func (d *decoder) next1() (byte, error) {
	if d.pos == d.end && !d.more() {
		return 0, d.err
	}
	d.pos++
	return d.buf[d.pos-1], nil
}

// inside and inside1 are token and next1 within an entry, where nothing may end.
func (d *decoder) inside() (byte, error) {
	c, err := d.token()
	if err != nil {
		err = d.ended()
	}
	return c, err
}

func (d *decoder) inside1() (byte, error) {
	c, err := d.next1()
	if err != nil {
		err = d.ended()
	}
	return c, err
}

// skip takes a short text if that comes next.
func (d *decoder) skip(text string) bool {
	if d.end-d.pos < len(text) {
		d.end = copy(d.buf, d.buf[d.pos:d.end])
		d.pos = 0
		for d.end < len(text) && d.fill() {
		}
	}
	if !bytes.HasPrefix(d.buf[d.pos:d.end], []byte(text)) {
		return false
	}
	d.pos += len(text)
	return true
}

// more reads more where all is used, and reports whether there was any.
func (d *decoder) more() bool {
	d.pos, d.end = 0, 0
	return d.fill()
}

func (d *decoder) fill() bool {
	n := 0
	for n == 0 && d.err == nil {
		n, d.err = d.r.Read(d.buf[d.end:])
	}
	d.end += n
	return n > 0
}

func (d *decoder) ended() error {
	if d.err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return d.err
}

// strange is the error of something that journalctl does not print.
func (d *decoder) strange() error {
	start := max(0, d.pos-1)
	return fmt.Errorf("it printed something that is no journal entry: %q", d.buf[start:min(d.end, start+60)])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isSpace(c byte) bool { return c == '\n' || c == ' ' || c == '\t' || c == '\r' }
