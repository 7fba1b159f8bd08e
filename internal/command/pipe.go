package command

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// pipe is the reading end of a child's output. One goroutine reads.
type pipe struct {
	file    *os.File
	limit   int64 // 0 = none
	count   int64 // bytes given to the reader
	over    bool  // there was more than limit
	tooLong chan<- struct{}

	lingering atomic.Bool // the child has exited: a read may only wait for lingerGrace
	ended     atomic.Bool // nothing more is to be read
}

func newPipe(limit int64, tooLong chan<- struct{}) (p *pipe, childEnd *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	widen(r)
	return &pipe{file: r, limit: limit, tooLong: tooLong}, w, nil
}

// Read reads what the child printed, at most limit bytes. Once the child has exited, waiting longer than
// lingerGrace is the end; the time the reader itself takes does not count, so nothing that the child
// printed before it exited is ever lost.
func (p *pipe) Read(b []byte) (int, error) {
	if p.over {
		return 0, ErrTooLong
	}
	if p.lingering.Load() {
		p.file.SetReadDeadline(time.Now().Add(lingerGrace))
	}
	if p.ended.Load() { // after the deadline was set, so that cut is never undone
		return 0, io.EOF
	}
	n, err := p.file.Read(b)
	if p.limit > 0 && p.count+int64(n) > p.limit {
		n = int(p.limit - p.count)
		p.over, err = true, ErrTooLong
		select {
		case p.tooLong <- struct{}{}:
		default: // the other pipe was first
		}
	}
	p.count += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// linger starts the last reads. A platform whose pipes have no deadlines reads on until end of file.
func (p *pipe) linger() {
	p.lingering.Store(true)
	p.file.SetReadDeadline(time.Now().Add(lingerGrace))
}

// cut ends reading now.
func (p *pipe) cut() {
	p.ended.Store(true)
	p.file.SetReadDeadline(time.Unix(1, 0))
}

// head keeps the first stderrKept bytes written to it.
type head struct{ kept []byte }

func (h *head) Write(b []byte) (int, error) {
	if room := stderrKept - len(h.kept); room > 0 {
		h.kept = append(h.kept, b[:min(room, len(b))]...)
	}
	return len(b), nil
}
