package journaltail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"catpaw/internal/printable"
)

const (
	// longAway is after how long without a look it is asked whether the journal still has all since then,
	// where reading on cannot show it by itself.
	longAway = 10 * time.Minute
	// maxText is how many bytes of a line are kept to be shown.
	maxText = 300
)

// round is what one run found.
type round struct {
	now    time.Time
	began  int64
	found  matches
	here   matches // of the stream that is being read: they count once its position is kept
	read   int64
	forms  forms
	behind []string // why some stream was not read to its end
	notes  []string
}

// matches is the matching lines of one run.
type matches struct {
	total, earliest, fresh int64
	lines                  []line // at least the latest max of them
	max                    int
}

func (m *matches) add(at int64, now int64, text string) {
	if m.total == 0 || at < m.earliest {
		m.earliest = at
	}
	m.total++
	m.fresh = max(m.fresh, min(at, now)) // a line from the future is not young for longer
	if m.lines = append(m.lines, line{at, text}); len(m.lines) >= 4*m.max {
		m.lines = append(m.lines[:0], latest(m.lines, m.max)...)
	}
}

// join adds the matches of one stream to those of all.
func (m *matches) join(other *matches) {
	if other.total == 0 {
		return
	}
	if m.total == 0 || other.earliest < m.earliest {
		m.earliest = other.earliest
	}
	m.total += other.total
	m.fresh = max(m.fresh, other.fresh)
	m.lines = latest(append(m.lines, other.lines...), m.max)
}

// read reads one stream on from where it was left, and returns how far it came.
func (p *Probe) read(ctx context.Context, s stream, at position, r *round) (position, error) {
	start := r.began
	if at.Cursor != "" {
		next := at
		out, met, err := p.readOn(ctx, s, "--cursor="+at.Cursor, &next, r)
		if err == nil && p.finish(out, &next, r) {
			err = p.seeGap(ctx, s, at, met, &next, r)
		}
		if !errors.Is(err, errCursor) {
			return next, err
		}
		start = max(at.Reached, at.Last+1)
		r.notes = append(r.notes, fmt.Sprintf("the place in the journal was lost: lines that came late, with times before %s, may be missing", p.stamp(start)))
	}
	// The end is noted before anything is read, so that what comes between is read the next time.
	next, err := p.edge(ctx, s)
	if err != nil || next.Cursor == "" {
		return at, err
	}
	out, _, err := p.readOn(ctx, s, since(start), &next, r)
	if err == nil {
		p.finish(out, &next, r)
	}
	return next, err
}

// finish notes how a reading ended, and reports whether it came to the end of the stream.
func (p *Probe) finish(out outcome, next *position, r *round) bool {
	if out.remark != "" {
		r.notes = append(r.notes, "journalctl says: "+out.remark)
	}
	if out.cut != "" {
		r.behind = append(r.behind, fmt.Sprintf("read only as far as the line of %s, since %s", p.stamp(next.Last), out.cut))
		return false
	}
	next.Reached = r.now.UnixMicro()
	return true
}

// readOn reads entries, keeps those that match and notes the last one. met is that the cursor's own entry
// was there; it is not read again.
func (p *Probe) readOn(ctx context.Context, s stream, from string, next *position, r *round) (out outcome, met bool, err error) {
	before := next.Cursor
	if from != "--cursor="+before {
		before = ""
	}
	var last []byte
	out, err = p.call(ctx, s, append(p.filters(), from), func(e *entry) bool {
		if !met && string(e.cursor) == before {
			met = true
			return false
		}
		last, next.Last = append(last[:0], e.cursor...), e.time
		p.look(e, r)
		return true
	})
	if out.read > 0 {
		next.Cursor, next.Chosen = string(last), true
	}
	return out, met, err
}

// look judges one entry.
func (p *Probe) look(e *entry, r *round) {
	r.read++
	if len(e.message) == 0 || p.self.wrote(e) || !p.chosen(r.forms.of(e)) {
		return
	}
	text := string(e.program()) + ": " + string(e.message[:min(len(e.message), 4*maxText)])
	if len(e.unit) > 0 {
		text = string(e.unit) + "/" + text
	}
	r.here.add(e.time, r.now.UnixMicro(), printable.Line(text, maxText))
}

// chosen judges the forms of a message. One of several lines is also chosen for the sake of one of them
// that is included, as if each had been logged by itself: an excluded line does not hide that one.
func (p *Probe) chosen(forms []string) bool {
	const ofTheWhole = 2
	return p.MatchAny(forms...) || len(p.FilterInclude) > 0 && len(forms) > ofTheWhole && slices.ContainsFunc(forms[ofTheWhole:], p.Match)
}

// edge returns the entry at a place: the last one of the stream where no place is given.
func (p *Probe) edge(ctx context.Context, s stream, place ...string) (position, error) {
	var found position
	_, err := p.call(ctx, s, append(place, "--lines=1"), func(e *entry) bool {
		found = position{Cursor: string(e.cursor), Last: e.time}
		return true
	})
	if err == nil && found.Cursor == "" && p.Directory == "" {
		err = p.noJournal()
	}
	return found, err
}

// seeGap tells whether lines that were never read are gone from the journal. Where the entry at the cursor
// is not there any more, journalctl goes on at the next one that is. met is that it was there; where units,
// identifiers or priority keep it out, that is asked only after a longer time.
func (p *Probe) seeGap(ctx context.Context, s stream, at position, met bool, next *position, r *round) error {
	away := r.now.Sub(time.UnixMicro(at.Reached))
	if met || !at.Chosen && away < longAway {
		return nil
	}
	first, err := p.edge(ctx, s, "--cursor="+at.Cursor)
	if err != nil || first.Cursor == "" || first.Cursor == at.Cursor {
		return err
	}
	seen := max(at.Reached, at.Last)
	if first.Last > seen {
		r.notes = append(r.notes, fmt.Sprintf("the journal was vacuumed: lines between %s and %s may be missing", p.stamp(seen), p.stamp(first.Last)))
	} else if next.Cursor == at.Cursor {
		next.Cursor, next.Chosen = first.Cursor, false // all up to there was seen before
	}
	return nil
}
