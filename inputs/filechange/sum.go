package filechange

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// settling is how old a file's ctime must be when its checksum is taken for the checksum to count while
// size and times stay the same. Before that, a further write may leave no trace in them: it comes within
// the same tick of the file system's clock, or through a mapping into memory, which the kernel stamps at
// the first write and then no more until it has written the page back (30 s, as a rule).
const settling = time.Minute

// sum takes the checksums that are needed, within max_checksum_bytes and the time that is left: of files
// that are new or show signs of a change first, then of those that are not settled; small ones before
// large ones, so that a large one holds up no other. What is left over waits for the next run.
func (p *Probe) sum(ctx context.Context, v *view, now time.Time) {
	var queue []*sight
	for i := range v.sights {
		if s := &v.sights[i]; s.needsSum() {
			queue = append(queue, s)
		}
	}
	slices.SortStableFunc(queue, func(a, b *sight) int {
		return cmp.Or(cmp.Compare(known(a), known(b)), cmp.Compare(a.now.size, b.now.size))
	})
	reader := summer{open: p.open, room: int64(p.MaxChecksumBytes), buffer: make([]byte, 128<<10)}
	for _, s := range queue {
		switch {
		case s.now.size > int64(p.MaxChecksumBytes):
			s.noSum = "has " + inBytes(s.now.size) + tooLarge
		case s.now.size > reader.room || ctx.Err() != nil:
			v.unhashed++
		default:
			p.sumOne(ctx, &reader, s, now)
			if s.now.sum == "" && s.noSum == "" {
				v.unhashed++
			}
		}
	}
}

// needsSum carries the known checksum over where it still counts, and reports where it must be taken.
func (s *sight) needsSum() bool {
	if !s.there || !s.now.mode.IsRegular() {
		return false
	}
	if s.old != nil && s.old.sum != "" && s.old.sameStat(&s.now) {
		s.now.sum, s.now.settled = s.old.sum, s.old.settled
		return !s.old.settled
	}
	return true
}

const tooLarge = ", more than max_checksum_bytes"

func known(s *sight) int { return min(len(s.now.sum), 1) }

// sumOne takes one checksum, or says why it cannot be taken.
func (p *Probe) sumOne(ctx context.Context, reader *summer, s *sight, now time.Time) {
	first := !reader.begun
	sum, err := reader.read(ctx, s)
	switch {
	case err == nil:
		s.now.sum = sum
		s.now.settled = hasCtime && now.Sub(time.Unix(0, s.now.ctime)) >= settling
	case errors.Is(err, errBusy) || isGone(err): // the next run sees
	case ctx.Err() == nil:
		s.noSum = "cannot be read for its checksum: " + plain(err)
	case first: // with all the time there is
		s.noSum = fmt.Sprintf("has %s, which cannot be read within timeout (%s)", inBytes(s.now.size), p.Timeout)
	}
}

// summer reads files.
type summer struct {
	open   func(path string) (*os.File, error)
	room   int64 // bytes that may still be read
	begun  bool
	buffer []byte
}

var errBusy = errors.New("it changed while it was read")

// read returns the checksum of the file that s is about. Where it is no longer that file, or grows beyond
// the room, that is errBusy; a context that ends is its error.
func (r *summer) read(ctx context.Context, s *sight) (string, error) {
	r.begun = true
	file, err := r.open(s.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if err := stillThat(file, &s.now); err != nil {
		return "", err
	}
	hash := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := file.Read(r.buffer)
		hash.Write(r.buffer[:n])
		if r.room -= int64(n); r.room < 0 {
			return "", errBusy
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return string(hash.Sum(nil)), stillThat(file, &s.now)
}

// stillThat fails unless an open file is in the state that was seen. (A FIFO that took its place differs
// in its times, so it is never read.)
func stillThat(file *os.File, seen *state) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	now := state{mode: info.Mode(), size: info.Size(), mtime: nanoseconds(info.ModTime())}
	now.fill(info)
	if now.mode != seen.mode || now.inode != seen.inode || !now.sameStat(seen) {
		return errBusy
	}
	return nil
}
