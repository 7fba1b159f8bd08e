package alerting

import (
	"slices"
	"strings"

	"catpaw/pipeline"
)

// routes knows which outputs are to hear of an alert. The end of an alert is told where the alert was
// told, and nowhere else, whatever the configuration says by then: no sink is left with an alert that it
// believes open, and none hears of the end of what it never heard of.
type routes struct {
	outputs map[string]*pipeline.OutputSpec // nil: nobody said; every output hears of everything
	all     *audience                       // every output, in their order
	plain   bool                            // every output hears of everything, as nearly always
	lists   map[string]*audience            // by their names, one to a line
	texts   map[string]*string              // likewise, of why outputs leave alerts out
}

// audience are outputs that hear of something: one value for each list of names, however many alerts have it.
type audience struct{ names []string }

// heard are the outputs that heard of the episode; nil = all.
func (e *entry) heard() []string {
	if e.told == nil {
		return nil
	}
	return e.told.names
}

// Route tells which outputs there are from now on, and what each is to hear of.
func (p *Processor) Route(outputs []*pipeline.OutputSpec) {
	r := &p.routes
	r.outputs, r.plain = make(map[string]*pipeline.OutputSpec, len(outputs)), true
	r.texts = map[string]*string{}
	names := make([]string, 0, len(outputs))
	for _, o := range outputs {
		r.outputs[o.Name] = o
		names = append(names, o.Name)
		r.plain = r.plain && o.Route.MinSeverity <= pipeline.Info && len(o.Route.Match)+len(o.Route.MatchNot) == 0
	}
	r.all = r.list(names)
}

// hears returns the outputs that are to hear of a notification, and notes them; left says which are not, and why.
func (r *routes) hears(e *entry, worst pipeline.Status, d Decision) (names []string, left *string) {
	if r.outputs == nil {
		return nil, nil
	}
	if d == Recover {
		wanted, left := r.ended(e)
		return wanted.names, left
	}
	wanted, left := r.wanting(e.Labels, worst)
	if d == Fire || len(e.heard()) == 0 {
		e.told = wanted
	} else if added := missing(wanted.names, e.heard()); len(added) > 0 {
		e.told = r.list(slices.Concat(e.heard(), added))
	}
	return wanted.names, left
}

// wanting are the outputs that are to hear of an alert like that.
func (r *routes) wanting(labels pipeline.Labels, worst pipeline.Status) (wanted *audience, left *string) {
	if r.plain {
		return r.all, nil
	}
	return r.divide(r.all, func(o *pipeline.OutputSpec) string { return o.Route.LeavesOut(labels, worst) })
}

// ended returns those outputs that were told of an alert and are to hear of its end. One that is not configured
// now has its queue yet, and may come back.
func (r *routes) ended(e *entry) (wanted *audience, left *string) {
	told := e.told
	if told == nil { // it was told before anybody noted to whom
		told = r.all
	}
	e.told = nil
	return r.divide(told, func(o *pipeline.OutputSpec) string {
		if o != nil && o.Route.NoRecovery {
			return "recovery = false"
		}
		return ""
	})
}

// divide parts outputs by why they leave something out.
func (r *routes) divide(among *audience, why func(*pipeline.OutputSpec) string) (wanted *audience, left *string) {
	names := make([]string, 0, len(among.names))
	var reasons []string
	for _, name := range among.names {
		o := r.outputs[name]
		if reason := why(o); reason != "" {
			reasons = append(reasons, o.Called()+": "+reason)
		} else {
			names = append(names, name)
		}
	}
	if len(reasons) == 0 {
		return among, nil
	}
	return r.list(names), r.text(strings.Join(reasons, "; "))
}

// text returns the one copy of a text.
func (r *routes) text(text string) *string {
	known := r.texts[text]
	if known == nil {
		known = &text
		r.texts[text] = known
	}
	return known
}

// Open returns the firing alerts that an output was told of, as they were told last but for the
// description, which is not kept.
func (p *Processor) Open(output string) (open []*pipeline.Event) {
	for e := range p.alerts.all() {
		if e.Phase == Firing && e.Count > 0 && (e.told == nil || slices.Contains(e.heard(), output)) {
			open = append(open, &pipeline.Event{
				Time: e.At.Unix(), Status: e.Told, AlertKey: e.key, Labels: e.Labels, TitleRule: e.origin().TitleRule,
				FirstFireTime: e.FirstFire, NotifyCount: int(e.Count),
			})
		}
	}
	slices.SortFunc(open, func(a, b *pipeline.Event) int { return strings.Compare(a.AlertKey, b.AlertKey) })
	return open
}

func missing(wanted, told []string) (added []string) {
	for _, name := range wanted {
		if !slices.Contains(told, name) {
			added = append(added, name)
		}
	}
	return added
}

// list returns the one audience of these names.
func (r *routes) list(names []string) *audience {
	key := strings.Join(names, "\n")
	known := r.lists[key]
	if known == nil {
		if r.lists == nil {
			r.lists = map[string]*audience{}
		}
		known = &audience{names}
		r.lists[key] = known
	}
	return known
}
