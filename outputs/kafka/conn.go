package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

const (
	maxAnswer = 16 << 20         // bytes of an answer; it is about our topics only
	patience  = 10 * time.Second // for answers that the transport would await for ever, as in a SASL login
)

// conn is a connection to one broker, on which kafka-go asks and is answered in turn. It hands on whole
// answers to what was asked, and explains in words what is none, which kafka-go would report as
// "unexpected EOF". It is used by one goroutine at a time.
type conn struct {
	net.Conn
	broker string
	tls    bool
	login  bool // the configuration has one

	asked    question
	left     int  // bytes of the question that are not yet written
	answers  int  // whole ones so far
	deadline bool // one is set
	unread   []byte
	failed   error // what ended it: kafka-go goes on reading after an error, to pass over the rest of the answer
}

// question is the head of a request: https://kafka.apache.org/protocol#protocol_messages.
type question struct {
	api     protocol.ApiKey
	version int16
	id      uint32
}

const headSize = 4 + 2 + 2 + 4 // size, API key, version, correlation id

// SetDeadline is net.Conn's. It notes whether there is one.
func (c *conn) SetDeadline(t time.Time) error {
	c.deadline = !t.IsZero()
	return c.Conn.SetDeadline(t)
}

// Write sends a request, or the next part of it.
func (c *conn) Write(p []byte) (int, error) {
	if c.left == 0 {
		if len(p) < headSize {
			return 0, faultf("a request of %d bytes was to be sent to %s", len(p), c.broker)
		}
		c.asked = question{
			api:     protocol.ApiKey(binary.BigEndian.Uint16(p[4:])),
			version: int16(binary.BigEndian.Uint16(p[6:])),
			id:      binary.BigEndian.Uint32(p[8:]),
		}
		if c.asked.api == protocol.SaslHandshake && c.asked.version == 0 { // what follows would have no frames
			return 0, faultf("%s is older than Kafka 1.0, whose SASL login is not supported", c.broker)
		}
		c.left = 4 + int(binary.BigEndian.Uint32(p))
	}
	c.left -= len(p)
	n, err := c.Conn.Write(p)
	if err != nil {
		return n, c.broke(err)
	}
	return n, nil
}

// Read hands on the answer, once there is a whole one.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		if c.failed == nil {
			c.failed = c.broke(c.receive())
		}
		if c.failed != nil {
			return 0, c.failed
		}
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// receive reads one answer.
func (c *conn) receive() error {
	if !c.deadline {
		c.Conn.SetReadDeadline(time.Now().Add(patience))
	}
	var frame bytes.Buffer // grows with what really comes
	if _, err := io.CopyN(&frame, c.Conn, 4); err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(frame.Bytes()))
	if size < 4 || size > maxAnswer {
		return c.strange(frame.Bytes())
	}
	if _, err := io.CopyN(&frame, c.Conn, size); err != nil {
		return err
	}
	id, body := binary.BigEndian.Uint32(frame.Bytes()[4:]), frame.Bytes()[8:]
	if id != c.asked.id || !readable(c.asked.api, c.asked.version, body) {
		return faultf("%s gave an answer that is none of Kafka's", c.broker)
	}
	c.answers++
	c.unread = frame.Bytes()
	return nil
}

// strange names what speaks where a broker should, by the first bytes it says.
func (c *conn) strange(start []byte) error {
	switch {
	case bytes.Equal(start, []byte("HTTP")):
		return faultf("%s speaks HTTP, not Kafka's protocol: is it the right port?", c.broker)
	case (start[0] == 0x15 || start[0] == 0x16) && start[1] == 3: // an alert or a handshake, of TLS 1.x
		return faultf("%s expects TLS: set tls = true", c.broker)
	}
	return faultf("%s does not speak Kafka's protocol: is it the right port?", c.broker)
}

// broke explains why there is no answer. Without an error it returns none.
func (c *conn) broke(err error) error {
	var known *fault
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return faultf("%s did not answer in time", c.broker)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return faultf("%s closed the connection %s", c.broker, c.whyClosed())
	}
	var op *net.OpError // its text holds our own port, which differs every time
	if errors.As(err, &op) {
		err = op.Err
	}
	return faultf("the connection to %s broke: %v", c.broker, err)
}

// whyClosed guesses, from how far we got, what a broker means that closes without a word.
func (c *conn) whyClosed() string {
	switch {
	case c.asked.api == protocol.SaslAuthenticate, c.asked.api == protocol.SaslHandshake:
		return "during the login: are sasl_user and sasl_password right?"
	case c.answers == 0 && !c.tls:
		return "before it said anything: does it expect TLS (tls = true)?"
	case c.answers == 1 && !c.login:
		return "where others log in: does it expect a login (sasl_mechanism)?"
	}
	return fmt.Sprintf("before it answered (%v)", c.asked.api)
}
