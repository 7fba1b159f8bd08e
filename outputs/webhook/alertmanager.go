package webhook

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

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

var notInLabelName = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// amAlerts makes an event one alert of each severity, of which at most that of the event fires: so a
// change of severity ends what was told before, without anybody having to remember it.
func amAlerts(e *pipeline.Event, now time.Time, lasts time.Duration) (all []amAlert) {
	for severity := pipeline.Info; severity <= pipeline.Critical; severity++ {
		labels := map[string]string{"alertname": e.Title()}
		for _, label := range e.Labels {
			name := notInLabelName.ReplaceAllString(label.Key, "_")
			if name != "" && name[0] >= '0' && name[0] <= '9' {
				name = "_" + name
			}
			labels[name] = label.Value
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

// keeper sends what fires again and again, until it recovers.
type keeper struct {
	send   func(ctx context.Context, events []*pipeline.Event) error
	every  time.Duration
	stop   context.CancelFunc // nil until there is something to keep
	ended  chan struct{}
	closed bool

	mu     sync.Mutex
	firing map[string]*pipeline.Event // by alert key
}

// note takes what was delivered.
func (k *keeper) note(e *pipeline.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.Status == pipeline.Ok {
		delete(k.firing, e.AlertKey)
		return
	}
	k.keep(e)
}

// remind takes what fires and was delivered by an earlier process.
func (k *keeper) remind(open []*pipeline.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range open {
		if k.firing[e.AlertKey] == nil {
			k.keep(e)
		}
	}
}

func (k *keeper) keep(e *pipeline.Event) {
	if k.closed {
		return
	}
	if k.firing == nil {
		k.firing = map[string]*pipeline.Event{}
	}
	k.firing[e.AlertKey] = e
	if k.stop == nil {
		var ctx context.Context
		ctx, k.stop = context.WithCancel(context.Background())
		k.ended = make(chan struct{})
		go k.run(ctx)
	}
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
		k.mu.Lock()
		keys := slices.Sorted(maps.Keys(k.firing))
		open := make([]*pipeline.Event, 0, len(keys))
		for _, key := range keys {
			open = append(open, k.firing[key])
		}
		k.mu.Unlock()
		const most = 1000 // alerts in one request
		for chunk := range slices.Chunk(open, most) {
			limited, cancel := context.WithTimeout(ctx, k.every)
			err := k.send(limited, chunk)
			cancel()
			if err != nil {
				break // the next tick tries again; what changes comes through the queue, which tells of it
			}
		}
	}
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
	err := o.sendAlerts(ctx, events, idOf(batch))
	if err == nil {
		for _, event := range events {
			o.keeper.note(event)
		}
	}
	return err
}

// Remind is pipeline.Mindful: what fires is sent again after a restart, too.
func (o *Output) Remind(open []*pipeline.Event) {
	if o.keeper != nil {
		o.keeper.remind(open)
	}
}
