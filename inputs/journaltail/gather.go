package journaltail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"catpaw/pipeline"
)

// patience is for how long all runs may end before the end of the journal, as they do after an outage or
// in a flood. From then on it is bad.
const patience = 10 * time.Minute

// Gather reads what is new in the journal. It fails where nothing could be read; then nothing is skipped.
func (p *Probe) Gather(ctx context.Context, report *pipeline.Report) error {
	memo := report.Recall()
	now := p.now()
	if p.began.IsZero() {
		p.began = now
	}
	m, known := recall(memo)
	if !known {
		m.Began = p.began.Add(-p.TimeSpan.Std()).UnixMicro()
	}
	limited, cancel := p.limit(ctx, p.Timeout.Std())
	defer cancel()
	r := &round{now: now, began: m.Began, forms: forms{zone: p.zone}, found: matches{max: p.MaxLines}}
	faults, err := p.readAll(limited, &m, r)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	report.Add(p.judge(&m, r, faults))
	report.Remember(m.encode())
	return nil
}

// readAll reads every stream. Faults are those of some streams; where all have one, it is the error.
func (p *Probe) readAll(ctx context.Context, m *memory, r *round) (faults []string, err error) {
	streams, err := p.streams()
	if err != nil {
		return nil, err
	}
	p.turn++ // each is first in its turn, lest a flood in one should keep the others from being read
	for i := range streams {
		s := streams[(i+p.turn)%len(streams)]
		r.here = matches{max: p.MaxLines}
		at, failed := p.readFresh(ctx, s, m.Positions[s.key], r)
		switch {
		case failed == nil:
			m.Positions[s.key] = at
			r.found.join(&r.here)
		case ctx.Err() != nil && r.read > 0:
			r.behind = append(r.behind, fmt.Sprintf("the files %s were not read, for want of time", s.key))
		default:
			err = failed
			faults = append(faults, fmt.Sprintf("the files %s: %v", s.key, failed))
		}
	}
	if len(faults) == len(streams) {
		return nil, err
	}
	return faults, nil
}

// readFresh is read, once more with a new list of files where one of them was rotated away meanwhile.
func (p *Probe) readFresh(ctx context.Context, s stream, at position, r *round) (position, error) {
	next, err := p.read(ctx, s, at, r)
	if err == nil || !strings.Contains(err.Error(), "No such file") {
		return next, err
	}
	streams, _ := p.streams()
	for _, again := range streams {
		if again.key == s.key {
			return p.read(ctx, again, at, r)
		}
	}
	return next, err
}

// judge makes the event of a run.
func (p *Probe) judge(m *memory, r *round, faults []string) pipeline.Event {
	young := r.found.total > 0 // also late ones are told once
	m.Episode.Fresh = min(m.Episode.Fresh, r.now.UnixMicro())
	m.Episode.add(&r.found, p.MaxLines)
	young = young || m.Episode.young(r.now, p.TimeSpan.Std())
	switch {
	case len(r.behind) == 0:
		m.Behind = 0
	case m.Behind == 0:
		m.Behind = r.now.UnixMicro()
	}
	event := pipeline.Event{Labels: p.labels()}
	switch {
	case young, len(faults) > 0, m.hopeless(r.now):
		event.Status = pipeline.Bad
	case m.Behind != 0:
		event.Status = pipeline.Unknown // the newest lines were not seen
	default:
		event.Status = pipeline.Ok
		m.Episode.Over = m.Episode.Total > 0
	}
	event.Attrs = r.attrs(m)
	event.Description = p.describe(m, r, faults, young)
	return event
}

// hopeless reports whether the runs do not keep up with the journal.
func (m *memory) hopeless(now time.Time) bool {
	return m.Behind != 0 && now.Sub(time.UnixMicro(m.Behind)) >= patience
}

func (r *round) attrs(m *memory) []pipeline.Attr {
	attrs := []pipeline.Attr{{Key: "lines_read", Value: r.read}, {Key: "lines_matched", Value: r.found.total}}
	if m.Episode.Total > 0 && !m.Episode.Over {
		age := float64(r.now.UnixMicro()-m.Episode.Fresh) / 1e6
		attrs = append(attrs, pipeline.Attr{Key: "newest_age_seconds", Value: age})
	}
	return attrs
}
