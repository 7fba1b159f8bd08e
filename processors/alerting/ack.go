package alerting

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"catpaw/pipeline"
	"catpaw/store"
)

// Ack notes that somebody knows of a firing alert: it is not told again in this episode unless it gets worse.
// asked is its key, the beginning of it, or another name that no other open alert has.
func (p *Processor) Ack(b *pipeline.Batch, asked, note string) (View, error) {
	e, err := p.oneOpen(asked)
	if err != nil {
		return View{}, err
	}
	if e.Phase == Pending {
		return View{}, errors.New("the alert is pending: nothing was told of it yet")
	}
	if e.Acked {
		return View{}, fmt.Errorf("it is %s; take that back first: catpaw ack --undo %.8s", e.extras().ack, e.key)
	}
	return p.acknowledge(b, e, true, note), nil
}

// Unack takes an acknowledgement back.
func (p *Processor) Unack(b *pipeline.Batch, asked string) (View, error) {
	e, err := p.oneOpen(asked)
	if err != nil {
		return View{}, err
	}
	if !e.Acked {
		return View{}, errors.New("nobody has acknowledged it")
	}
	return p.acknowledge(b, e, false, ""), nil
}

func (p *Processor) acknowledge(b *pipeline.Batch, e *entry, acked bool, note string) View {
	e.Acked = acked
	e.noteAck(note)
	b.States = append(b.States, store.State(p.encode(e)))
	one := p.shown(e, b.Now)
	return one.view(b.Now)
}

// oneOpen is the one open alert that somebody means.
func (p *Processor) oneOpen(asked string) (*entry, error) {
	var open []*entry
	for e := range p.alerts.all() {
		if e.Phase != Firing && e.Phase != Pending {
			continue
		}
		if e.key == asked {
			return e, nil
		}
		open = append(open, e)
	}
	found := slices.DeleteFunc(slices.Clone(open), func(e *entry) bool { return asked == "" || !strings.HasPrefix(e.key, asked) })
	if len(found) == 0 && asked != "" {
		found = meant(open, asked)
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("no open alert is called %q: catpaw status lists them", asked)
	case 1:
		return found[0], nil
	}
	const most = 5
	slices.SortFunc(found, func(a, b *entry) int { return strings.Compare(a.key, b.key) })
	var names []string
	for _, e := range found[:min(most, len(found))] {
		title, where := e.name()
		names = append(names, fmt.Sprintf("%.8s (%s)", e.key, strings.TrimSpace(title+" "+where)))
	}
	if len(found) > most {
		names = append(names, "…")
	}
	return nil, fmt.Errorf("%d open alerts are called %q; say which by its key: %s", len(found), asked, strings.Join(names, ", "))
}
