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
	names   []string                        // of all outputs, in their order
	plain   bool                            // every output hears of everything, as nearly always
	lists   map[string][]string             // one slice for each list of names, however many alerts have it
	texts   map[string]*string              // likewise, of why outputs leave alerts out
}

// Route tells which outputs there are from now on, and what each is to hear of.
func (p *Processor) Route(outputs []*pipeline.OutputSpec) {
	r := &p.routes
	r.outputs, r.names, r.plain = make(map[string]*pipeline.OutputSpec, len(outputs)), make([]string, 0, len(outputs)), true
	r.texts = map[string]*string{}
	for _, o := range outputs {
		r.outputs[o.Name] = o
		r.names = append(r.names, o.Name)
		r.plain = r.plain && o.Route.MinSeverity <= pipeline.Info && len(o.Route.Match)+len(o.Route.MatchNot) == 0
	}
}

// hears returns the outputs that are to hear of a notification, and notes them; left says which are not, and why.
func (r *routes) hears(e *entry, worst pipeline.Status, d Decision) (wanted []string, left *string) {
	if r.outputs == nil {
		return nil, nil
	}
	if d == Recover {
		return r.ended(e)
	}
	wanted, left = r.wanting(e.Labels, worst)
	if d == Fire || len(e.told) == 0 {
		e.told = wanted
	} else if added := missing(wanted, e.told); len(added) > 0 {
		e.told = r.list(slices.Concat(e.told, added))
	}
	return wanted, left
}

// wanting are the outputs that are to hear of an alert like that.
func (r *routes) wanting(labels pipeline.Labels, worst pipeline.Status) (wanted []string, left *string) {
	if r.plain {
		return r.names, nil
	}
	return r.divide(r.names, func(o *pipeline.OutputSpec) string { return o.Route.LeavesOut(labels, worst) })
}

// ended returns those outputs that were told of an alert and are to hear of its end. One that is not configured
// now has its queue yet, and may come back.
func (r *routes) ended(e *entry) (wanted []string, left *string) {
	told := e.told
	if told == nil { // it was told before anybody noted to whom
		told = r.names
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
func (r *routes) divide(names []string, why func(*pipeline.OutputSpec) string) (wanted []string, left *string) {
	wanted = make([]string, 0, len(names))
	var reasons []string
	for _, name := range names {
		o := r.outputs[name]
		if reason := why(o); reason != "" {
			reasons = append(reasons, o.Called()+": "+reason)
		} else {
			wanted = append(wanted, name)
		}
	}
	if len(reasons) == 0 {
		return names, nil
	}
	return r.list(wanted), r.text(strings.Join(reasons, "; "))
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
	for _, e := range p.alerts {
		if e.Phase == Firing && e.Count > 0 && (e.told == nil || slices.Contains(e.told, output)) {
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

// list returns the one slice for these names.
func (r *routes) list(names []string) []string {
	key := strings.Join(names, "\n")
	known, ok := r.lists[key]
	if !ok {
		if r.lists == nil {
			r.lists = map[string][]string{}
		}
		known = names
		r.lists[key] = known
	}
	return known
}
