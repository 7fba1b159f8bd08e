package webhook

import (
	"encoding/json"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
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

func TestAlertmanagerIsToldAgainUntilItIsOver(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o := toAlertmanager(t, url)
	send(t, o, []*pipeline.Message{firing()})
	fires, labels := alertsOf(t, <-got)
	if !fires["critical"] || fires["warning"] || fires["info"] || labels["target"] != "/data" || labels["alertname"] != "disk <usage>" {
		t.Errorf("fires %v, labels %v", fires, labels)
	}
	for range 3 {
		if fires, _ := alertsOf(t, <-got); !fires["critical"] {
			t.Errorf("told again: %v", fires)
		}
	}
	send(t, o, []*pipeline.Message{recovered()})
	for {
		if fires, _ := alertsOf(t, <-got); !fires["critical"] {
			break
		}
	}
	o.keeper.mu.Lock()
	defer o.keeper.mu.Unlock()
	if len(o.keeper.firing) != 0 {
		t.Errorf("what is over is kept: %v", o.keeper.firing)
	}
}

func TestAlertmanagerIsToldAgainAfterARestart(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o := toAlertmanager(t, url)
	o.Remind([]*pipeline.Event{{Status: pipeline.Warning, AlertKey: "k", TitleRule: "$check", Labels: pipeline.L("check", "c", "9-x", "y"), FirstFireTime: 5}})
	fires, labels := alertsOf(t, <-got)
	if !fires["warning"] || labels["_9_x"] != "y" {
		t.Errorf("fires %v, labels %v", fires, labels)
	}
	send(t, o, []*pipeline.Message{pipetest.Message(pipeline.Event{Status: pipeline.Ok, AlertKey: "k", Labels: pipeline.L("check", "c", "9-x", "y")})})
	for {
		if fires, _ := alertsOf(t, <-got); !fires["warning"] {
			return
		}
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
