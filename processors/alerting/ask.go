package alerting

import (
	"slices"
	"strings"
	"time"

	"catpaw/pipeline"
)

// mostStories is how many alerts Stories and StoriesOf tell of.
const mostStories = 20

// ShortestKey is how many letters of an alert key ask for it: fewer may be the beginning of anything.
const ShortestKey = 6

// Stories are those of the alerts, live or ended not long ago, that somebody asks for: by alert key or its
// beginning, by the value of a label such as a target, by title; where nothing has that name, by a part of one, in
// which * stands for anything: alone, for all. more is how many were left out.
func (p *Processor) Stories(asked string, now time.Time) (found []Story, more int) {
	return p.tell(meant(p.known(), asked), now)
}

// StoriesOf are those of the alerts of these checks, live or ended not long ago. more is how many were left out.
func (p *Processor) StoriesOf(checks []string, now time.Time) (found []Story, more int) {
	others := func(e *entry) bool { return !slices.Contains(checks, e.origin().Owner) }
	return p.tell(slices.DeleteFunc(p.known(), others), now)
}

// BeginsKey reports whether the key of an alert, live or ended not long ago, begins so.
func (p *Processor) BeginsKey(asked string) bool {
	return slices.ContainsFunc(p.known(), func(e *entry) bool { return strings.HasPrefix(e.key, asked) })
}

// known are the alerts that are live, and those that ended not long ago.
func (p *Processor) known() []*entry {
	all := make([]*entry, 0, p.alerts.taken)
	for e := range p.alerts.all() {
		all = append(all, e)
	}
	for key, e := range p.past.byKey {
		if p.alerts.get(key) == nil {
			all = append(all, e)
		}
	}
	return all
}

// tell tells the stories of those that matter most.
func (p *Processor) tell(those []*entry, now time.Time) (found []Story, more int) {
	slices.SortFunc(those, func(a, b *entry) int { return compareShown(shown{entry: *a}, shown{entry: *b}) })
	more = max(0, len(those)-mostStories)
	for _, e := range those[:len(those)-more] {
		found = append(found, p.story(e, now))
	}
	return found, more
}

// meant are the alerts that somebody may mean.
func meant(among []*entry, asked string) []*entry {
	for _, fits := range []func(*entry, string) bool{(*entry).isCalled, (*entry).mentions} {
		var found []*entry
		for _, e := range among {
			if fits(e, asked) {
				found = append(found, e)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// isCalled reports whether this is a name of the alert.
func (e *entry) isCalled(asked string) bool {
	if e.origin().Owner == asked || len(asked) >= ShortestKey && strings.HasPrefix(e.key, asked) {
		return true
	}
	for _, label := range e.Labels {
		if label.Value == asked && !isHost(label.Key) {
			return true
		}
	}
	title, where := e.name()
	return where == asked || title == asked || title+" "+where == asked
}

// mentions reports whether a name of the alert has a part like that.
func (e *entry) mentions(asked string) bool {
	title, where := e.name()
	names := []string{title + " " + where}
	for _, label := range e.Labels {
		if !isHost(label.Key) {
			names = append(names, label.Value)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return HasParts(name, asked) })
}

// isHost: such labels are the same on every alert.
func isHost(label string) bool { return strings.HasPrefix(label, "from_") && label != "from_plugin" }

func (e *entry) name() (title, where string) {
	event := pipeline.Event{Labels: e.Labels, TitleRule: e.origin().TitleRule}
	return event.Title(), event.Where()
}

// HasParts reports whether the parts of a pattern, between its asterisks, are in a text, in their order, in upper or lower
// case.
func HasParts(text, pattern string) bool {
	text, pattern = strings.ToLower(text), strings.ToLower(pattern)
	for part := range strings.SplitSeq(pattern, "*") {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return pattern != ""
}
