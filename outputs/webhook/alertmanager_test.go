package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

func toAlertmanager(t *testing.T, url string) *Output {
	t.Helper()
	o := open(t, "url = %q\nformat = 'alertmanager'\nbatch = 100", url)
	o.Resend = config.Duration(time.Hour)
	o.keeper.every = 20 * time.Millisecond
	return o
}

// alertsOf decodes a request as Alertmanager does: by severity, whether it fires.
func alertsOf(t *testing.T, r seen) (fires map[string]bool, labels map[string]string) {
	t.Helper()
	var all []amAlert
	if err := json.Unmarshal([]byte(r.body), &all); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	fires = map[string]bool{}
	for _, alert := range all {
		fires[alert.Labels["severity"]] = alert.EndsAt.After(time.Now())
		if alert.StartsAt.After(alert.EndsAt) || alert.Labels["alertname"] == "" || alert.Annotations["summary"] == "" {
			t.Errorf("Alertmanager refuses %+v", alert)
		}
		labels = alert.Labels
	}
	return fires, labels
}

// engine plays the engine: which alerts fire.
type engine struct {
	mu   sync.Mutex
	open []*pipeline.Event
}

func (g *engine) fires(open ...*pipeline.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = open
}

func (g *engine) ask() []*pipeline.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.open)
}

func eventOf(t *testing.T, m *pipeline.Message) *pipeline.Event {
	t.Helper()
	e, err := m.Event()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAlertmanagerIsToldAgainUntilItIsOver(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o, g := toAlertmanager(t, url), &engine{}
	known := eventOf(t, firing())
	known.Description = "" // the engine does not keep it
	g.fires(known)
	send(t, o, []*pipeline.Message{firing()})
	o.Remind(g.ask)
	fires, labels := alertsOf(t, <-got)
	if !fires["critical"] || fires["warning"] || fires["info"] || labels["target"] != "/data" || labels["alertname"] != "disk <usage>" {
		t.Errorf("fires %v, labels %v", fires, labels)
	}
	for range 3 {
		again := <-got
		if fires, _ := alertsOf(t, again); !fires["critical"] || !strings.Contains(again.body, `"description"`) {
			t.Errorf("told again: %v %s", fires, again.body)
		}
	}
	g.fires()
	send(t, o, []*pipeline.Message{recovered()})
	for {
		if fires, _ := alertsOf(t, <-got); !fires["critical"] {
			break
		}
	}
	o.keeper.again(t.Context(), "")
	if len(o.keeper.told) != 0 || len(got) != 0 {
		t.Errorf("what is over is kept: %v", o.keeper.told)
	}
}

// TestWhatIsOverElsewhereIsNotToldAgain: an end that this output is not told of, or that was refused.
func TestWhatIsOverElsewhereIsNotToldAgain(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o, g := toAlertmanager(t, url), &engine{}
	o.keeper.every = time.Hour
	g.fires(eventOf(t, firing()))
	o.Remind(g.ask)
	send(t, o, []*pipeline.Message{firing()})
	<-got
	o.keeper.again(t.Context(), "")
	<-got
	g.fires()
	o.keeper.again(t.Context(), "")
	if len(got) != 0 || len(o.keeper.told) != 0 {
		t.Errorf("told again: %v", <-got)
	}
}

// TestManyAlertsAreToldAgainInParts, each of them once in a round.
func TestManyAlertsAreToldAgainInParts(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o, g := toAlertmanager(t, url), &engine{}
	o.keeper.every = time.Hour
	var open []*pipeline.Event
	for i := range 2500 {
		open = append(open, &pipeline.Event{Status: pipeline.Warning, AlertKey: fmt.Sprintf("%04d", i), TitleRule: "$check", Labels: pipeline.L("check", "c", "n", fmt.Sprint(i))})
	}
	g.fires(open...)
	o.Remind(g.ask)
	seen, rounds := 0, 0
	for after, more := "", true; more; rounds++ {
		after, more = o.keeper.again(t.Context(), after)
		r := <-got
		seen += strings.Count(r.body, `"warning"`)
	}
	if rounds != 3 || seen != 2500 {
		t.Errorf("%d alerts in %d requests", seen, rounds)
	}
}

// TestNewsDoesNotWaitForAReminder that hangs.
func TestNewsDoesNotWaitForAReminder(t *testing.T) {
	t.Parallel()
	reminded, over := make(chan struct{}, 100), make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"reminder"`) {
			reminded <- struct{}{}
			select {
			case <-over:
			case <-r.Context().Done():
			}
		}
	}))
	t.Cleanup(func() { close(over); hangs.Close() })
	o, g := toAlertmanager(t, hangs.URL), &engine{}
	o.keeper.every = time.Hour
	g.fires(&pipeline.Event{Status: pipeline.Warning, AlertKey: "k", TitleRule: "$check", Labels: pipeline.L("check", "reminder")})
	o.Remind(g.ask)
	for range 20 {
		ended := make(chan struct{})
		go func() { defer close(ended); o.keeper.again(t.Context(), "") }()
		<-reminded
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // an hour would be the reminder's
		if err := o.Write(ctx, []*pipeline.Message{firing()})[0]; err != nil {
			t.Fatal(err)
		}
		cancel()
		<-ended
	}
}

func TestAlertmanagerIsToldAgainAfterARestart(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o, g := toAlertmanager(t, url), &engine{}
	g.fires(&pipeline.Event{Status: pipeline.Warning, AlertKey: "k", TitleRule: "$check", FirstFireTime: 5,
		Labels: pipeline.L("", "empty", "9-x", "y", "a-b", "1", "a.b", "2", "check", "c", "severity", "mine")})
	o.Remind(g.ask)
	fires, labels := alertsOf(t, <-got)
	if !fires["warning"] || labels["_9_x"] != "y" || labels["a_b"] != "1" || labels["a_b_"] != "2" || labels["severity_"] != "mine" || labels["_"] != "empty" {
		t.Errorf("fires %v, labels %v", fires, labels)
	}
}

func TestAChangeOfSeverityEndsWhatWasTold(t *testing.T) {
	t.Parallel()
	now := time.Unix(2000, 0)
	all := amAlerts(&pipeline.Event{Status: pipeline.Critical, TitleRule: "$check", Labels: pipeline.L("check", "c"), FirstFireTime: 3000}, now, time.Minute)
	if len(all) != 3 || !all[0].EndsAt.Equal(now) || !all[1].EndsAt.Equal(now) || !all[2].EndsAt.Equal(now.Add(time.Minute)) || all[0].StartsAt.After(all[0].EndsAt) {
		t.Errorf("%+v", all)
	}
}
