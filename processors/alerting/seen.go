package alerting

import "strings"

// mostSeen is how many bytes of descriptions are kept in memory, for those who ask what was seen. Alerts beyond do
// without: ten thousand of them say nothing new.
const mostSeen = 8 << 20

// see keeps the description of the last bad result, as far as there is room.
func (p *Processor) see(e *entry, description string) {
	if e.seen == description {
		return
	}
	p.unsee(e)
	e.seen = ""
	if p.seen+len(description) <= mostSeen {
		e.seen = strings.Clone(description) // it may be a part of all that a script printed
		p.seen += len(e.seen)
	}
}

// unsee is for an alert that is no longer live; what was seen last stays with it.
func (p *Processor) unsee(e *entry) { p.seen -= len(e.seen) }
