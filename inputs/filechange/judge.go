package filechange

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// judge compares what this run sees with what is remembered, and returns what is to be remembered from
// now on: was itself, where nothing is new.
func (p *Probe) judge(v *view, was *memory, now time.Time) *memory {
	next := &memory{partial: v.cut || v.over > 0, blind: slices.Collect(maps.Keys(v.blind))}
	var news bool
	next.changes, news = stillBad(was.changes, now, p.TimeSpan.Std())
	if next.past, next.ended = was.past, was.ended; len(was.changes) > 0 && len(next.changes) == 0 {
		next.past, next.ended, news = was.changes[:min(len(was.changes), mostListed)], len(was.changes), true
	}
	wasBlind := setOf(was.blind)
	for i := range v.sights {
		s := &v.sights[i]
		if s.why != nil {
			next.blind = append(next.blind, s.path)
		}
		if s.there {
			v.files++
			news = news || s.old == nil || *s.old != s.now
		}
		if c := p.changeOf(s, was, wasBlind, now); c != nil {
			next.add(*c)
			news = true
		}
	}
	if len(next.changes) > 0 {
		next.past, next.ended = nil, 0
	}
	next.bound(max(p.MaxFiles, minChanges))
	if !news && !was.empty && next.partial == was.partial && slices.Equal(next.blind, was.blind) {
		return was
	}
	next.keep(v.sights)
	return next
}

// changeOf returns what changed since the last run, nil where nothing did or nobody knows.
func (p *Probe) changeOf(s *sight, was *memory, wasBlind map[string]bool, now time.Time) *change {
	c := &change{path: s.path, seen: now.UnixNano(), steps: 1}
	if !p.looked.IsZero() {
		c.looked = p.looked.UnixNano()
	}
	switch {
	case s.why != nil || !s.there && s.old == nil:
		return nil
	case !s.there:
		c.before = s.old
		return c
	case s.old == nil && (was.empty || was.partial || isBlind(s.path, wasBlind)):
		return p.firstSight(s, now)
	case s.old != nil && !s.old.differs(&s.now):
		return nil
	}
	after := s.now
	c.before, c.after = s.old, &after
	c.made = madeAt(s.old, &after, now)
	return c
}

// firstSight judges a file that nothing is known of: it is a change where its mtime is younger than
// time_span. One in the future says nothing.
func (p *Probe) firstSight(s *sight, now time.Time) *change {
	age := now.Sub(time.Unix(0, s.now.mtime))
	if age < 0 || age >= p.TimeSpan.Std() {
		return nil
	}
	after := s.now
	return &change{path: s.path, seen: s.now.mtime, made: s.now.mtime, first: true, steps: 1, after: &after}
}

// madeAt is when a change was made, as far as the file's times tell: 0 where they do not.
func madeAt(before, after *state, now time.Time) int64 {
	stamp := func(s *state) int64 {
		switch {
		case s == nil:
			return 0
		case hasCtime:
			return s.ctime
		}
		return s.mtime
	}
	made := stamp(after)
	if made > stamp(before) && made <= now.UnixNano() {
		return made
	}
	return 0
}

// stillBad returns the changes while any of them is younger than span, and whether one was altered: one
// from the future, before the clock was put back, counts as seen now.
func stillBad(changes []change, now time.Time, span time.Duration) (kept []change, altered bool) {
	kept = slices.Clone(changes)
	bad := false
	for i := range kept {
		if kept[i].seen > now.UnixNano() {
			kept[i].seen, altered = now.UnixNano(), true
		}
		bad = bad || now.Sub(time.Unix(0, kept[i].seen)) < span
	}
	if !bad {
		return nil, altered
	}
	return kept, altered
}

func setOf(paths []string) map[string]bool {
	set := make(map[string]bool, len(paths))
	for _, path := range paths {
		set[path] = true
	}
	return set
}

// byNews orders changes: the newest first, then by path.
func byNews(a, b change) int {
	return cmp.Or(cmp.Compare(b.seen, a.seen), cmp.Compare(b.when(), a.when()), strings.Compare(a.path, b.path))
}
