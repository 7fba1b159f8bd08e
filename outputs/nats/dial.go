package nats

import (
	"bytes"
	"errors"
	"net"
)

// maxGreeting is how long a server's greeting may be. The library itself reads for as long as a line does
// not end: from a server on the same machine that is a gigabyte before it gives up.
const maxGreeting = 1 << 20

var errNoGreeting = errors.New("what answers there is not NATS: its greeting does not end")

// dialer is a dialer of the library's that bounds the greeting.
type dialer struct{ net.Dialer }

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.Dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return &greeted{Conn: conn, left: maxGreeting}, nil
}

// greeted is a connection whose first line must end in time. Only one goroutine reads from it.
type greeted struct {
	net.Conn
	left int // bytes that it may still take; 0 when it has ended
}

func (c *greeted) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	if c.left == 0 {
		return n, err
	}
	if bytes.IndexByte(b[:n], '\n') >= 0 {
		c.left = 0
	} else if c.left -= n; c.left <= 0 {
		return 0, errNoGreeting
	}
	return n, err
}
