package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
	"catpaw/store"
)

// TestTheHeartBeatsWhileAllIsWell: it is withheld when the agent is stuck, and the log says each change once.
func TestTheHeartBeatsWhileAllIsWell(t *testing.T) {
	t.Parallel()
	beats := make(chan string, 1000)
	var mu sync.Mutex
	status, unwell := http.StatusOK, error(nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(status)
		beats <- r.Method + " " + r.URL.Path
	}))
	defer server.Close()
	core, logs := observer.New(zap.InfoLevel)
	looks := make(chan struct{}, 10_000)
	h := newHeart(func(time.Time) error {
		mu.Lock()
		defer mu.Unlock()
		looks <- struct{}{}
		return unwell
	}, zap.New(core))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); h.beat(ctx) }()
	set := func(s int, err error) { mu.Lock(); status, unwell = s, err; mu.Unlock() }
	wait := func(message string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); logs.FilterMessage(message).Len() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log does not say %q but %v", message, logs.All())
			}
		}
	}
	h.use(heartbeatOptions{URL: config.Secret(server.URL + "/secret"), Method: "POST", Interval: config.Duration(5 * time.Millisecond), Timeout: config.Duration(10 * time.Second)})
	for range 3 {
		if got := <-beats; got != "POST /secret" {
			t.Errorf("it says %s", got)
		}
	}
	set(http.StatusNotFound, nil)
	wait("the heartbeat does not get through")
	set(http.StatusOK, nil)
	wait("the heart beats again")
	set(http.StatusOK, errors.New("no check runs, for 2m"))
	wait("the heartbeat is withheld")
	for len(beats) > 0 {
		<-beats
	}
	for len(looks) > 0 {
		<-looks
	}
	for range 3 {
		<-looks
	}
	if len(beats) > 0 {
		t.Errorf("%d beats of a stuck agent", len(beats))
	}
	h.use(heartbeatOptions{})
	cancel()
	<-done
	if n := logs.Len(); n != 3 {
		t.Errorf("%d lines in the log: %v", n, logs.All())
	}
	for _, line := range logs.All() {
		if strings.Contains(fmt.Sprint(line.Message, line.ContextMap()), "secret") {
			t.Errorf("the log shows the path: %v", line)
		}
	}
}

func TestWrongHeartbeats(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		"":                                    "url: it is missing",
		"url = 'ftp://x'":                     "url: it must begin with http",
		"url = 'http://x'\ninterval = 0.5":    "interval: 500ms is too short",
		"url = 'http://x'\ntimeout = 0":       "timeout: it must be more than 0",
		"url = 'http://x'\nmethod = 'GETT'":   `did you mean "GET"?`,
		"url = 'http://x'\nintervall = '10s'": `unknown option "intervall"`,
	} {
		o := defaultHeartbeat()
		pipetest.WantError(t, pipetest.TryOptions(options, &o), want)
	}
}

func TestAHeartbeatThatFailsNamesTheAddressOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	o := defaultHeartbeat()
	o.URL = config.Secret(server.URL + "/secret")
	address := strings.TrimPrefix(server.URL, "http://")
	for _, when := range []string{"it answers 404", "nobody listens"} {
		err := send(t.Context(), &http.Client{}, o)
		if err == nil || strings.Count(err.Error(), address) != 1 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", when, err)
		}
		server.Close()
	}
}

func TestWhatIsStuckIsSeen(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ago := func(d time.Duration) *time.Time { t := now.Add(-d); return &t }
	fine := []pipeline.CheckHealth{{ID: "exec/1", Interval: 10, Next: now.Add(time.Second)}}
	for _, c := range []struct {
		name          string
		began         time.Duration
		ran, decided  *time.Time
		checks        []pipeline.CheckHealth
		trouble       *store.Trouble
		stuck, unwell string
	}{
		{name: "all is well", ran: ago(time.Second), decided: ago(0), checks: fine},
		{name: "it has just begun", began: time.Second, checks: fine},
		{name: "it never ran", began: 2 * time.Minute, decided: ago(0), checks: fine, stuck: "no check runs, for 2m0s", unwell: "no check runs"},
		{name: "nothing runs any more", ran: ago(2 * time.Minute), decided: ago(0), checks: fine, stuck: "no check runs", unwell: "no check runs"},
		{name: "nothing is decided", ran: ago(0), decided: ago(61 * time.Second), checks: fine, stuck: "no result is decided", unwell: "no result"},
		{name: "a check is forgotten", ran: ago(0), decided: ago(0), checks: []pipeline.CheckHealth{{ID: "exec/2", Interval: 60, Next: now.Add(-4 * time.Minute)}},
			stuck: "check exec/2 ought to have run 4m0s ago", unwell: "exec/2"},
		{name: "a check takes long", ran: ago(0), decided: ago(0), checks: []pipeline.CheckHealth{{Interval: 60, Running: true, Next: now.Add(-time.Hour)}}},
		{name: "the disk is full since now", ran: ago(0), decided: ago(0), trouble: &store.Trouble{Text: "full", Since: *ago(time.Second)}},
		{name: "the disk is full for long", ran: ago(0), decided: ago(0), trouble: &store.Trouble{Text: "full", Since: *ago(2 * time.Minute)}, unwell: "nothing is kept on disk, for 2m0s: full"},
	} {
		v := &vitals{began: now.Add(-c.began), checks: func() []pipeline.CheckHealth { return c.checks }, trouble: func() *store.Trouble { return c.trouble }}
		v.ran.Store(c.ran)
		v.decided.Store(c.decided)
		for what, got := range map[string]error{c.stuck: v.stuck(now), c.unwell: v.unwell(now)} {
			if (got == nil) != (what == "") || got != nil && !strings.HasPrefix(got.Error(), what) && !strings.Contains(got.Error(), what) {
				t.Errorf("%s: %v, want %q", c.name, got, what)
			}
		}
	}
}
