package webhook

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"catpaw/internal/pattern"
	"catpaw/outputs/internal/post"
	"catpaw/pipeline"
)

// alertmanager is Prometheus Alertmanager's API v2 (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml,
// postAlerts). It forgets what is not sent again before endsAt, so what fires is re-sent by keeper.
func alertmanager() format {
	return format{terse: true, batchType: "application/json", array: true, takes: []string{"resend"}}
}

// amAlert is one alert of that API. Its labels are its identity, the severity among them.
type amAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

var notInLabelName = pattern.Lazy(`[^a-zA-Z0-9_]`)

// amAlerts makes an event one alert of each severity, of which at most that of the event fires: so a
// change of severity ends what was told before, without anybody having to remember it.
func amAlerts(e *pipeline.Event, now time.Time, lasts time.Duration) (all []amAlert) {
	for severity := pipeline.Info; severity <= pipeline.Critical; severity++ {
		labels := map[string]string{"alertname": cutTo(e.Title(), mostAMValue, bytesOf), "severity": ""}
		for _, label := range e.Labels {
			labels[amName(label.Key, labels)] = cutTo(label.Value, mostAMValue, bytesOf)
		}
		labels["severity"] = strings.ToLower(severity.String())
		alert := amAlert{Labels: labels, StartsAt: time.Unix(e.FirstFireTime, 0).UTC(), EndsAt: now.UTC()}
		alert.Annotations = map[string]string{"summary": noticeOf(e).Headline, "alert_key": e.AlertKey}
		if e.Description != "" {
			alert.Annotations["description"] = strings.TrimSpace(strings.TrimPrefix(e.Description, "[MD]"))
		}
		if severity == e.Status {
			alert.EndsAt = now.Add(lasts).UTC()
		}
		if alert.StartsAt.After(alert.EndsAt) { // a clock that was set back
			alert.StartsAt = alert.EndsAt
		}
		all = append(all, alert)
	}
	return all
}

// mostAMValue bounds a value, for Alertmanager itself sets no limit.
const mostAMValue = 2048

// amName makes a name of a label that Alertmanager takes and that no other label has: neither one that differs
// only in signs that it does not take, nor those that we add.
func amName(key string, taken map[string]string) string {
	name := notInLabelName().ReplaceAllString(key, "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	for _, used := taken[name]; used; _, used = taken[name] {
		name += "_"
	}
	return name
}

// keeper sends what fires again and again, until it recovers. What fires it asks of the engine, before every
// request: an alert whose end is on its way, or goes elsewhere, must not be told again.
type keeper struct {
	send  func(ctx context.Context, events []*pipeline.Event) error
	every time.Duration

	// order keeps a request of ours and those that deliver apart: what we saw firing must not be told after its end.
	order   sync.RWMutex
	waiting atomic.Int32 // Writes that wait for again to let go of order

	mu     sync.Mutex
	open   func() []*pipeline.Event
	told   map[string]*pipeline.Event // as delivered, with the description that the engine does not keep
	stop   context.CancelFunc         // nil until there is somebody to ask
	yield  context.CancelFunc         // ends the request of again that is on its way; nil without one
	ended  chan struct{}
	closed bool
}

// note takes what was delivered.
func (k *keeper) note(e *pipeline.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.Status == pipeline.Ok {
		delete(k.told, e.AlertKey)
		return
	}
	if k.told == nil {
		k.told = map[string]*pipeline.Event{}
	}
	k.told[e.AlertKey] = e
}

// begin begins to ask.
func (k *keeper) begin(open func() []*pipeline.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open = open; k.closed || k.stop != nil {
		return
	}
	var ctx context.Context
	ctx, k.stop = context.WithCancel(context.Background())
	k.ended = make(chan struct{})
	go k.run(ctx)
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.ended)
	tick := time.NewTicker(k.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for after, more := "", true; more && ctx.Err() == nil; {
			after, more = k.again(ctx, after)
		}
	}
}

// again sends the next alerts after a key, as they are now. Where that fails, the next tick tries again; what
// changes comes through the queue, which tells of it.
func (k *keeper) again(ctx context.Context, after string) (last string, more bool) {
	const most = 1000 // alerts in one request
	k.order.Lock()
	defer k.order.Unlock()
	open := k.firing()
	from, _ := slices.BinarySearchFunc(open, after, func(e *pipeline.Event, key string) int { return strings.Compare(e.AlertKey, key) })
	if from < len(open) && open[from].AlertKey == after {
		from++
	}
	chunk := open[from:min(from+most, len(open))]
	if len(chunk) == 0 {
		return "", false
	}
	limited, cancel := context.WithTimeout(ctx, k.every)
	defer cancel()
	k.mu.Lock()
	k.yield = cancel
	k.mu.Unlock()
	if k.waiting.Load() > 0 { // one that came before there was anything to interrupt
		return "", false
	}
	err := k.send(limited, chunk)
	return chunk[len(chunk)-1].AlertKey, err == nil && from+most < len(open)
}

// turn waits until no reminder is on its way; one that is, is interrupted: news goes first, and its deadline counts.
// The next tick reminds again.
func (k *keeper) turn() (done func()) {
	k.waiting.Add(1)
	k.mu.Lock()
	if k.yield != nil {
		k.yield()
		k.yield = nil
	}
	k.mu.Unlock()
	k.order.RLock()
	k.waiting.Add(-1)
	return k.order.RUnlock
}

// firing is what fires now, in the order of its keys, as it was delivered where that was told last.
func (k *keeper) firing() []*pipeline.Event {
	k.mu.Lock()
	ask := k.open
	k.mu.Unlock()
	open := ask()
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := make(map[string]*pipeline.Event, len(open))
	for i, e := range open {
		if told := k.told[e.AlertKey]; told != nil {
			kept[e.AlertKey] = told
			if told.Status == e.Status {
				open[i] = told
			}
		}
	}
	k.told = kept
	return open
}

func (k *keeper) close() {
	k.mu.Lock()
	k.closed = true
	stop, ended := k.stop, k.ended
	k.mu.Unlock()
	if stop != nil {
		stop()
		<-ended
	}
}

// defaultResend is how often what fires is sent again: Alertmanager takes it as over after 5 minutes, by
// default, and Prometheus itself sends again after one.
const defaultResend = time.Minute

// sendAlerts posts events as alerts. Those that fire end by themselves after four times resend, should this agent
// fall silent.
func (o *Output) sendAlerts(ctx context.Context, events []*pipeline.Event, id string) error {
	now := o.now()
	var all []amAlert
	for _, e := range events {
		all = append(all, amAlerts(e, now, 4*o.Resend.Std())...)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return pipeline.Refused(err)
	}
	if err := o.limit.Wait(ctx); err != nil {
		return err
	}
	_, err = o.client.Send(ctx, post.Request{Method: o.Method, Header: o.header, Body: body, ID: id})
	return err
}

// writeAlerts sends a batch and keeps what fires.
func (o *Output) writeAlerts(ctx context.Context, batch []*pipeline.Message) error {
	events := make([]*pipeline.Event, 0, len(batch))
	for _, m := range batch {
		event, err := m.Event()
		if err != nil {
			return pipeline.Refused(err)
		}
		events = append(events, event)
	}
	defer o.keeper.turn()()
	err := o.sendAlerts(ctx, events, idOf(batch))
	if err == nil {
		for _, event := range events {
			o.keeper.note(event)
		}
	}
	return err
}

// Remind is pipeline.Mindful: what fires is sent again after a restart, too.
func (o *Output) Remind(open func() []*pipeline.Event) {
	if o.keeper != nil {
		o.keeper.begin(open)
	}
}
