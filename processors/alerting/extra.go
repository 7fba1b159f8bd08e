package alerting

import "catpaw/pipeline"

// extra is what few alerts have. It is never changed, only replaced, so that who looks at a copy of the entry
// elsewhere sees what was.
type extra struct {
	// waitingOk is a good result that counts when its run ends: a key that is reported both ways.
	waitingOk *pipeline.Event
	muted     string          // by what; as of the last bad result
	held      *pipeline.Event // that result, while muted, where it counts when that ends
	ack       string          // who acknowledged it, when and why
}

// extras returns what the alert has of that.
func (e *entry) extras() extra {
	if e.extra == nil {
		return extra{}
	}
	return *e.extra
}

// replace is for the methods below.
func (e *entry) replace(x extra) {
	switch {
	case x == e.extras():
	case x == (extra{}):
		e.extra = nil
	default:
		e.extra = new(extra) // not &x, which would be one for every call
		*e.extra = x
	}
}

func (e *entry) waitOk(event *pipeline.Event) {
	x := e.extras()
	x.waitingOk = event
	e.replace(x)
}

func (e *entry) noteMuted(by string, held *pipeline.Event) {
	x := e.extras()
	x.muted, x.held = by, held
	e.replace(x)
}

func (e *entry) noteAck(ack string) {
	x := e.extras()
	x.ack = ack
	e.replace(x)
}
