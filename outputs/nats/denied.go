package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// denials are the subjects that the server has not let us publish to. It says so beside the messages, in its own
// time but before it answers a flush that follows; the library keeps only the last.
type denials struct {
	mu    sync.Mutex
	n     int            // counts them
	at    map[string]int // the last denial of each subject
	heard error          // the last, as the library has it
	news  chan struct{}  // closed at the next; nil until somebody waits
}

// mostDenied is how many subjects are remembered.
const mostDenied = 10_000

// hear takes what the library says of the connection.
func (d *denials) hear(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	d.heard = err
	if len(d.at) >= mostDenied || d.at == nil {
		d.at = map[string]int{}
	}
	if _, rest, found := strings.Cut(err.Error(), `"`); found { // Permissions Violation for Publish to "a.b"
		subject, _, _ := strings.Cut(rest, `"`)
		d.at[subject] = d.n
	}
	if d.news != nil {
		close(d.news)
		d.news = nil
	}
}

// now is how many there were so far.
func (d *denials) now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// since says that a subject was denied after there were n.
func (d *denials) since(n int, subject string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at[subject] <= n {
		return nil
	}
	return fmt.Errorf("the server does not let us publish to %s: allow it, or choose another subject", subject)
}

// next is closed when there is another.
func (d *denials) next() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.news == nil {
		d.news = make(chan struct{})
	}
	return d.news
}

// settle waits until all that the library knows of was heard: it tells of them in order.
func (d *denials) settle(ctx context.Context, conn *nats.Conn) {
	for {
		next := d.next()
		last := conn.LastError()
		d.mu.Lock()
		heard := !errors.Is(last, nats.ErrPermissionViolation) || last == d.heard
		d.mu.Unlock()
		if heard {
			return
		}
		select {
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}
