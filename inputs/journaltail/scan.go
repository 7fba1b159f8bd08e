package journaltail

import (
	"bytes"
	"fmt"
	"io"
)

// token reads the next byte that is no white space.
func (d *decoder) token() (byte, error) {
	for {
		c, err := d.readByte()
		if err != nil || !isSpace(c) {
			return c, err
		}
	}
}

// readByte reads a byte.
func (d *decoder) readByte() (byte, error) {
	if d.pos == d.end && !d.more() {
		return 0, d.err
	}
	d.pos++
	return d.buf[d.pos-1], nil
}

// innerToken and innerByte are token and readByte within an entry, where nothing may end.
func (d *decoder) innerToken() (byte, error) {
	c, err := d.token()
	if err != nil {
		err = d.ended()
	}
	return c, err
}

func (d *decoder) innerByte() (byte, error) {
	c, err := d.readByte()
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
