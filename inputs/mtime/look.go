package mtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// Gather looks at every directory once. It fails where one could not be looked at in full; the others
// are judged all the same.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	var mu sync.Mutex
	var errs []error
	r.ForEach(ctx, len(p.places), 1,
		func(i int) pipeline.Labels { return slices.Clone(p.places[i].labels) },
		func(i int) {
			if err := p.look(ctx, r, p.places[i]); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	return errors.Join(errs...)
}

// look walks through one directory and reports what it saw. The error says why the walk did not come
// to its end; then the alert keeps its state.
func (p *Probe) look(ctx context.Context, r *pipeline.Report, at *place) error {
	began := p.now()
	if at.lost != nil && at.lost.isHome() { // its news are of long ago
		at.lost = nil
	}
	w := at.lost
	if w == nil {
		w = p.walk(ctx, at, began)
	}
	if !w.isHome() {
		at.lost = w
	}
	why := p.whyNot(at, w, began.Location())
	switch {
	case why == "":
		at.looked = began
		r.Add(p.judge(at, w, began))
		return nil
	case ctx.Err() != nil: // cut off from outside: neither the directory nor timeout is to blame
		r.Incomplete("")
		return nil
	}
	r.Add(pipeline.Event{Time: began.Unix(), Status: pipeline.Unknown, Labels: slices.Clone(at.labels), Description: why})
	return fmt.Errorf("%s: %s", printable.Line(at.path, shownPath), why)
}

// whyNot says why a walk did not come to its end, "" where it did.
func (p *Probe) whyNot(at *place, w *walk, zone *time.Location) string {
	switch {
	case !w.isHome():
		return fmt.Sprintf("the file system does not answer: a walk that began at %s hangs in the kernel, and nothing new is begun there until it returns. "+
			"Is this a network file system whose server is away? `findmnt -T %s` names it", clock(w.started, zone), quote(at.path))
	case w.broke != nil:
		panic(w.broke) // for the machinery, which knows what to do about it
	case w.fault != nil:
		return fmt.Sprintf("this host has no room to look: %v. Lower concurrency, or raise the limits of the agent (ulimit -n)", w.fault)
	case w.stopped.Load():
		return fmt.Sprintf("the walk did not come to its end within timeout = %s: %d files were seen until then. "+
			"Raise timeout, or leave parts out with exclude or max_depth", p.Timeout, w.sum.files)
	}
	return ""
}

// walk goes through a directory until timeout. Workers that the kernel holds cannot be called back:
// they are waited for a little longer, then given up: the walk is not home.
func (p *Probe) walk(ctx context.Context, at *place, began time.Time) *walk {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout.Std())
	defer cancel()
	since := began.Add(-p.TimeSpan.Std())
	if p.AlertIf == changed && !at.looked.IsZero() && at.looked.Before(since) {
		since = at.looked // a time_span shorter than the interval must not let a change slip through
	}
	w := &walk{
		rules: rules{
			started: began.UnixNano(),
			since:   since.UnixNano(),
			stale:   p.AlertIf == stale,
			now:     func() int64 { return p.now().UnixNano() },
		},
		maxDepth: p.MaxDepth,
		exclude:  p.exclude,
		open:     p.open,
	}
	if !p.Recursive {
		w.maxDepth = 1
	}
	defer context.AfterFunc(ctx, w.stop)()
	w.start(at.path, p.Concurrency)
	select {
	case <-w.done:
	case <-ctx.Done():
		patience := time.NewTimer(p.grace)
		defer patience.Stop()
		select {
		case <-w.done:
		case <-patience.C:
		}
	}
	return w
}
