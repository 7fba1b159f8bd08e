package net

import (
	"bytes"
	"errors"
	"io"

	stdnet "net"
)

// maxAnswer is how much of an answer is read before it is given up.
const maxAnswer = 64 << 10

// maxDatagram is what a UDP datagram can carry over IPv4.
const maxDatagram = 65507

// read reads until the expected text is there, the peer has closed, maxAnswer is reached or the
// connection's deadline has passed. err is nil where the peer closed.
func (p *Probe) read(conn stdnet.Conn) (answer []byte, found bool, err error) {
	// A datagram must be read in one piece; a stream mostly answers in less than a page.
	size := 4 << 10
	if p.Protocol == "udp" {
		size = maxAnswer
	}
	buffer := make([]byte, size)
	searched := 0 // no expected text begins before this
	for len(answer) < maxAnswer {
		n, err := conn.Read(buffer[:min(size, maxAnswer-len(answer))])
		answer = append(answer, buffer[:n]...)
		if n > 0 && p.matches(answer, searched) {
			return answer, true, nil
		}
		searched = max(0, len(answer)-len(p.expect))
		if errors.Is(err, io.EOF) {
			return answer, false, nil
		}
		if err != nil {
			return answer, false, err
		}
	}
	return answer, false, nil
}

// matches reports whether the answer holds both what expect and what expect_regex ask for.
func (p *Probe) matches(answer []byte, searched int) bool {
	if p.regex == nil {
		return bytes.Contains(answer[searched:], p.expect)
	}
	return bytes.Contains(answer, p.expect) && p.regex.Match(answer)
}
