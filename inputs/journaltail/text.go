package journaltail

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

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
	c, err := d.innerByte()
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
		c, err := d.innerByte()
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
