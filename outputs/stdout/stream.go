package stdout

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"catpaw/pipeline"
)

// standardOutput is the process's only one, so all outputs that print there share it.
var standardOutput = newStream(os.Stdout, isPipe(os.Stdout))

// stream lets one write at a time through to a file. A write cannot be broken off, so it has a goroutine
// of its own, which a caller may leave behind; the next caller waits until it is done.
type stream struct {
	file io.Writer
	pipe bool          // EPIPE means that the reader is gone for good
	turn chan struct{} // holds a token while nobody writes
	owed []byte        // the rest of a line that was begun; whoever holds the turn prints it first
}

func newStream(file io.Writer, pipe bool) *stream {
	s := &stream{file: file, pipe: pipe, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// isPipe: only a pipe's reader is gone for good. A socket's may come back, as journald does.
func isPipe(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// flight is one write, perhaps under way.
type flight struct {
	data  []byte
	lines []line
	done  chan struct{} // closed when the write has ended; what follows is valid only then
	paid  bool          // no line from before is left half printed
	ended int           // how many lines are on the stream
	begun bool          // half of the next one is, too
	err   error
}

// line is an event's line, which ends before data[end].
type line struct {
	id  string
	end int
}

// start waits for its turn and writes behind the caller's back. false means that nothing was begun.
func (s *stream) start(ctx context.Context, f *flight) bool {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return false
	}
	go func() {
		s.write(f)
		s.turn <- struct{}{}
		close(f.done)
	}()
	return true
}

func (s *stream) write(f *flight) {
	if f.err = s.payDebt(); f.err != nil {
		return
	}
	f.paid = true
	if len(f.data) == 0 {
		return
	}
	n, err := s.file.Write(f.data)
	f.err = s.judge(err)
	begin := 0
	for f.ended < len(f.lines) && f.lines[f.ended].end <= n {
		begin = f.lines[f.ended].end
		f.ended++
	}
	if n > begin {
		f.begun = true
		s.owed = f.data[n:f.lines[f.ended].end]
	}
}

// payDebt ends the line that an earlier write broke off in.
func (s *stream) payDebt() error {
	if len(s.owed) == 0 {
		return nil
	}
	n, err := s.file.Write(s.owed)
	s.owed = s.owed[n:]
	return s.judge(err)
}

func (s *stream) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case s.pipe && (errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)):
		return pipeline.ErrReaderGone
	}
	return errors.New("cannot write to standard output: " + cause(err).Error())
}

func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

var errNotReading = errors.New("nobody reads standard output: the events wait")
