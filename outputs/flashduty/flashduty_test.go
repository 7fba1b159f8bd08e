package flashduty

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// seen is a request as the sink saw it.
type seen struct {
	*http.Request
	body string
}

// sink answers every request with the status and the body, and hands on what it saw.
func sink(t *testing.T, status int, answer string) (url string, got chan seen) {
	t.Helper()
	got = make(chan seen, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r, string(body)}
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func open(t *testing.T, options string) *Output {
	t.Helper()
	o := New()
	pipetest.Options(t, options, o)
	t.Cleanup(func() { o.Close() })
	return o
}

func write(t *testing.T, o *Output, m *pipeline.Message) error {
	t.Helper()
	verdicts := o.Write(t.Context(), []*pipeline.Message{m})
	if verdicts == nil {
		return nil
	}
	return verdicts[0]
}

func TestTheBodyIsTheWireByteForByte(t *testing.T) {
	t.Parallel()
	url, got := sink(t, 200, `{"request_id":"x","data":{"alert_key":"k"}}`)
	m := pipetest.Message(pipeline.Event{
		Labels:      pipeline.L("check", "HTTP check failed", "target", "http://x/?a=1&b=<2>"),
		Description: "[MD]\n- **target**: \u2028 é", Attrs: []pipeline.Attr{{Key: "a", Value: 1}},
	})
	if err := write(t, open(t, fmt.Sprintf("url = %q", url+"/push?integration_key=abcd")), m); err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.body != string(m.Wire()) {
		t.Errorf("body %s\nwant %s", r.body, m.Wire())
	}
	for header, want := range map[string]string{"Content-Type": "application/json", "Idempotency-Key": m.ID(), "User-Agent": "catpaw"} {
		if got := r.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if r.Method != "POST" || r.URL.String() != "/push?integration_key=abcd" || r.ContentLength != int64(len(r.body)) {
		t.Errorf("%s %s, length %d", r.Method, r.URL, r.ContentLength)
	}
}

func TestTheIntegrationKeyJoinsTheURL(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		`integration_key = "a b"`:                                   endpoint + "?integration_key=a+b",
		"url = 'http://relay/x?y=1'\nintegration_key = 'k'":         "http://relay/x?integration_key=k&y=1",
		`url = "http://relay/x?integration_key=in-the-url&z=%20&y"`: "http://relay/x?integration_key=in-the-url&z=%20&y",
	} {
		target, err := open(t, options).target()
		if err != nil || target.String() != want {
			t.Errorf("%s: %v, %v", options, target, err)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for options, want := range map[string][]string{
		``: {"test.toml:", "url: it is missing"},
		"url = 'http://h/?integration_key=hunter2'\nintegration_key = 'hunter3'": {"test.toml:2: integration_key: ", "give it once"},
		`url = "localhost:9"`:                            {"test.toml:1: url: "},
		"url = 'http://h'\ntls_ca = '/nowhere'":          {"test.toml:2: tls_ca: "},
		"url = 'http://h'\nhttp_proxy = 'hunter2:99999'": {"test.toml:2: http_proxy: "},
		`url = 5`: {"test.toml:1: url: expected a string"},
	} {
		err := pipetest.TryOptions(options, New())
		pipetest.WantError(t, err, want...)
		if err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
}

func TestAnswersWithStatus200AreReadForErrors(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"request_id":"1","data":{"alert_key":"k"}}`: "delivered",
		`{"request_id":"1","error":null}`:             "delivered",
		``:                                            "delivered",
		`ok`:                                          "delivered",
		`[1]`:                                         "delivered",
		`{"error":"some other server's field"}`:       "delivered",
		`{"request_id":"1","error":{"code":"InvalidParameter","message":"title"}}`:    "refused",
		`{"request_id":"1","error":{"code":"InvalidContentType"}}`:                    "refused",
		`{"request_id":"1","error":{"code":"RequestTooFrequently","message":"slow"}}`: "again",
		`{"request_id":"1","error":{"code":"InternalError","message":"sorry"}}`:       "again",
		`{"request_id":"1","error":{"code":"Unauthorized","message":"sekret-key"}}`:   "again",
	} {
		url, _ := sink(t, 200, answer)
		err := write(t, open(t, fmt.Sprintf("url = %q", url+"?integration_key=sekret-key")), pipetest.Message(pipeline.Event{}))
		got := "delivered"
		if err != nil {
			if got = "again"; pipeline.IsRefused(err) {
				got = "refused"
			}
			if strings.Contains(err.Error(), "sekret") || strings.Contains(err.Error(), "request_id") {
				t.Errorf("error: %v", err)
			}
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", answer, got, err, want)
		}
	}
}

func TestFieldsAreCutToTheLimits(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"check": "c", "target": "t", "zz": strings.Repeat("é", 3000), strings.Repeat("k", 200): "v"}
	for i := range 60 {
		labels[fmt.Sprintf("label%02d", i)] = "x"
	}
	m := pipetest.Message(pipeline.Event{
		AlertKey: strings.Repeat("é", 300), TitleRule: "$check::" + strings.Repeat("ü", 600),
		Labels: pipeline.LabelsOf(labels), Description: "[MD]\n- **x**: " + strings.Repeat("木", 2100),
	})
	body, err := fit(m)
	if err != nil {
		t.Fatal(err)
	}
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		t.Fatal(err)
	}
	for name, length := range map[string][2]int{
		"alert_key":   {utf8.RuneCountInString(w.AlertKey), 32},
		"title_rule":  {utf8.RuneCountInString(w.TitleRule), maxTitleRule},
		"description": {utf8.RuneCountInString(w.Description), maxDescription},
		"labels":      {len(w.Labels), maxLabels},
	} {
		if length[0] != length[1] {
			t.Errorf("%s has %d, want %d", name, length[0], length[1])
		}
	}
	if w.Labels["check"] != "c" || w.Labels["target"] != "t" {
		t.Error("check or target was left out")
	}
	pipetest.WantError(t, fmt.Errorf("%s", w.Description), "cut to FlashDuty's limits", "alert_key", "title_rule (of 608 characters)", "labels (left out)", "description (of 2114 characters)")
	if !utf8.Valid(body) || strings.Contains(string(body), "\uFFFD") || !strings.HasPrefix(string(body), `{"event_time":1734339605,"event_status":"Warning","alert_key":"`) {
		t.Errorf("body: %.200s", body)
	}
}

func TestLongLabelsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 200)
	body, err := fit(pipetest.Message(pipeline.Event{Labels: pipeline.L("a", strings.Repeat("é", 3000), long, "v"), Description: "plain"}))
	if err != nil {
		t.Fatal(err)
	}
	var w wire
	if err := json.Unmarshal(body, &w); err != nil {
		t.Fatal(err)
	}
	if got := utf8.RuneCountInString(w.Labels["a"]); got != maxLabelValue || w.Labels[shorten(long, maxLabelKey)] != "v" {
		t.Errorf("value of %d characters, labels %d", got, len(w.Labels))
	}
	if !strings.HasPrefix(w.Description, "plain\ncut to FlashDuty's limits: label a (of 3000 characters), name of label kkk") {
		t.Errorf("description: %s", w.Description)
	}
}

func TestTheLargestAllowedIsNotTouched(t *testing.T) {
	t.Parallel()
	m := pipetest.Message(pipeline.Event{Description: strings.Repeat("木", maxDescription), TitleRule: strings.Repeat("é", maxTitleRule)})
	body, err := fit(m)
	if err != nil || string(body) != string(m.Wire()) {
		t.Errorf("changed: %v", err)
	}
}

func TestTheRateLimitIsFlashDutys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := New()
		pipetest.Options(t, `integration_key = "k"`, o)
		start := time.Now()
		for range 1001 {
			if err := o.limit.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("1001 requests may go out within %v", took)
		}
	})
}
