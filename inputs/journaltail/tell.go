package journaltail

import (
	"fmt"
	"strings"
	"time"

	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// clock prints a time of the journal as journalctl would take it.
func (p *Probe) clock(micros int64) string {
	return time.UnixMicro(micros).In(p.zone).Format(time.DateTime)
}

// stamp prints it for a person.
func (p *Probe) stamp(micros int64) string {
	return time.UnixMicro(micros).In(p.zone).Format(time.DateTime + " MST")
}

// describe tells of a run. Where all is well it costs nothing.
func (p *Probe) describe(m *memory, r *round, faults []string, young bool) string {
	if !young && len(r.behind) == 0 && len(faults) == 0 {
		return p.quiet(m, r)
	}
	var b markdown.Builder
	b.Item("expected", "no line in the journal that matches %s", p.filterText())
	for _, fault := range faults[:min(len(faults), 2)] {
		b.Item("cannot be read", "%s", printable.Line(fault, 300))
	}
	for _, why := range r.behind[:min(len(r.behind), 1)] {
		b.Item("behind", "%s; the rest is read by the next runs", printable.Line(why, 200))
	}
	if m.hopeless(r.now) {
		b.Item("cannot keep up", "since %s no run came to the end of the journal: raise timeout, or choose less with units, identifiers or priority", p.stamp(m.Behind))
	}
	for _, note := range r.notes[:min(len(r.notes), 2)] {
		b.Item("note", "%s", printable.Line(note, 200))
	}
	from := m.Began
	if m.Episode.Total > 0 {
		from = m.Episode.Since
		b.Item("since", "%s", p.stamp(from))
	}
	further := p.byHand(from)
	if m.Episode.Total > 0 {
		room := pipeline.MaxDescription - len(b.String()) - len(further) - 100 // the rest of the text around both
		b.List("lines, newest first", p.shown(&m.Episode), int(m.Episode.Total), room)
	}
	return b.Item("look further", "`%s`", further).String()
}

// quiet tells that all is well, and once more of the lines for which it was not: some of them may have come
// after what was told.
func (p *Probe) quiet(m *memory, r *round) string {
	const well = "no line of the journal matched lately"
	if len(r.notes) == 0 && m.Episode.Total == 0 {
		return well
	}
	var b markdown.Builder
	b.Item("seen", well)
	for _, note := range r.notes[:min(len(r.notes), 2)] {
		b.Item("note", "%s", printable.Line(note, 200))
	}
	if m.Episode.Total > 0 {
		b.Item("the last that did, since", "%s", p.stamp(m.Episode.Since))
		b.List("lines, newest first", p.shown(&m.Episode), int(m.Episode.Total), pipeline.MaxDescription-len(b.String())-300)
	}
	return b.String()
}

// shown is the kept lines as they are shown, newest first.
func (p *Probe) shown(e *episode) []string {
	texts := make([]string, 0, len(e.Lines))
	for i := len(e.Lines) - 1; i >= 0; i-- {
		texts = append(texts, p.clock(e.Lines[i].Time)+" "+e.Lines[i].Text)
	}
	return texts
}

// filterText is the filter in words.
func (p *Probe) filterText() string {
	text := "anything"
	if len(p.FilterInclude) > 0 {
		text = quoted(p.FilterInclude)
	}
	if len(p.FilterExclude) > 0 {
		text += " but not " + quoted(p.FilterExclude)
	}
	return printable.Line(text, 300)
}

func quoted(patterns []string) string {
	texts := make([]string, 0, len(patterns))
	for _, pattern := range patterns {
		texts = append(texts, fmt.Sprintf("`%s`", pattern))
	}
	return strings.Join(texts, " or ")
}

// byHand is the command with which a person sees the same lines, from a time on where it is not 0.
func (p *Probe) byHand(from int64) string {
	words := append([]string{"journalctl"}, p.filters()...)
	if p.Directory != "" {
		words = append(words, "--directory="+p.Directory)
	}
	if from != 0 {
		words = append(words, "--since="+p.clock(from))
	}
	for i, word := range words {
		if strings.ContainsAny(word, " *?[]$'\"\\;&|<>()`") {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return printable.Line(strings.Join(words, " "), 300)
}
