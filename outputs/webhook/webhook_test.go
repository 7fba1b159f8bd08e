package webhook

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// seen is a request as the sink saw it.
type seen struct {
	*http.Request
	body string
}

// sink hands on what it saw and answers as told.
func sink(t testing.TB, answer func(body string) (status int, text string)) (url string, got chan seen) {
	t.Helper()
	got = make(chan seen, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r, string(body)}
		status, text := answer(string(body))
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func fine(string) (int, string) { return 200, "ok" }

func open(t testing.TB, options string, args ...any) *Output {
	t.Helper()
	o := New()
	pipetest.Options(t, fmt.Sprintf(options, args...), o)
	t.Cleanup(func() { o.Close() })
	return o
}

func events(n int) (batch []*pipeline.Message) {
	for i := range n {
		batch = append(batch, pipetest.Message(pipeline.Event{ID: fmt.Sprintf("%032x", i), AlertKey: fmt.Sprint(i), Description: fmt.Sprintf("event %d.", i)}))
	}
	return batch
}

// send writes a batch and fails the test unless all of it is delivered.
func send(t testing.TB, o *Output, batch []*pipeline.Message) {
	t.Helper()
	for i, err := range o.Write(t.Context(), batch) {
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

func TestTheEventIsSentAsItIs(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	batch := events(1)
	send(t, open(t, "url = %q", url), batch)
	r := <-got
	if r.body != string(batch[0].JSON()) || r.Method != "POST" {
		t.Errorf("%s %s", r.Method, r.body)
	}
	for header, want := range map[string]string{"Content-Type": "application/json", "Idempotency-Key": batch[0].ID(), "User-Agent": "catpaw", "Authorization": ""} {
		if got := r.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}

func TestOptionsOfTheRequest(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	for options, want := range map[string]func(seen) string{
		`method = "put"`: func(r seen) string { return r.Method + "=PUT" },
		`headers = { "x-one" = "1", "Host" = "other.example", "User-Agent" = "me" }`: func(r seen) string {
			return r.Header.Get("X-One") + r.Host + r.UserAgent() + "=1other.exampleme"
		},
		`headers.Authorization = "Splunk abc"`:            func(r seen) string { return r.Header.Get("Authorization") + "=Splunk abc" },
		`bearer_token = "tok"`:                            func(r seen) string { return r.Header.Get("Authorization") + "=Bearer tok" },
		"basic_auth_user = 'me'\nbasic_auth_pass = 'pä:'": func(r seen) string { u, p, _ := r.BasicAuth(); return u + p + "=mepä:" },
		`content_type = "application/cloudevents+json"`:   func(r seen) string { return r.Header.Get("Content-Type") + "=application/cloudevents+json" },
		`batch_format = "ndjson"`:                         func(r seen) string { return r.Header.Get("Content-Type") + "=application/x-ndjson" },
	} {
		send(t, open(t, "url = %q\n%s", url, options), events(1))
		if got, expected, _ := strings.Cut(want(<-got), "="); got != expected {
			t.Errorf("%s: %q, want %q", options, got, expected)
		}
	}
}

func TestTheProxyIsUsed(t *testing.T) {
	t.Parallel()
	proxy, got := sink(t, fine)
	send(t, open(t, "url = 'http://nowhere.invalid/x?y=1'\nhttp_proxy = %q", proxy), events(1))
	if r := <-got; r.RequestURI != "http://nowhere.invalid/x?y=1" {
		t.Errorf("the proxy was asked for %s", r.RequestURI)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	for options, want := range map[string]func(...string) string{
		"batch = 3": func(each ...string) string { return "[" + strings.Join(each, ",") + "]" },
		"batch = 3\nbatch_format = 'ndjson'": func(each ...string) string {
			return strings.Join(each, "\n") + "\n"
		},
	} {
		o := open(t, "url = %q\n%s", url, options)
		if o.BatchSize() != 3 {
			t.Errorf("%s: batch size %d", options, o.BatchSize())
		}
		for n := 1; n <= 3; n++ {
			var each []string
			batch := events(n)
			for _, m := range batch {
				each = append(each, string(m.JSON()))
			}
			send(t, o, batch)
			if r := <-got; r.body != want(each...) {
				t.Errorf("%s, %d events: %s", options, n, r.body)
			}
		}
	}
}

func TestTheIDOfABatchIsThatOfItsEvents(t *testing.T) {
	t.Parallel()
	all := events(3)
	a, b := idOf(all[:2]), idOf([]*pipeline.Message{all[0], all[2]})
	if a == b || a != idOf(events(2)) || idOf(all[:1]) != all[0].ID() {
		t.Errorf("ids %s, %s", a, b)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	batch := events(1)
	send(t, open(t, "url = %q\ngzip = true", url), batch)
	r := <-got
	unzipped, err := gzip.NewReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(unzipped); err != nil || string(body) != string(batch[0].JSON()) || r.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%s, %v", body, err)
	}
}

func TestOnlyTheGuiltyEventOfABatchIsRefused(t *testing.T) {
	t.Parallel()
	url, got := sink(t, func(body string) (int, string) {
		if strings.Contains(body, "event 5.") || strings.Contains(body, "event 6.") {
			return 400, "I do not like it"
		}
		return 200, ""
	})
	o := open(t, "url = %q\nbatch = 16", url)
	for i, err := range o.Write(t.Context(), events(16)) {
		if guilty := i == 5 || i == 6; pipeline.IsRefused(err) != guilty || (err != nil) != guilty {
			t.Errorf("event %d: %v", i, err)
		}
	}
	delivered := map[string]int{}
	for len(got) > 0 {
		r := <-got
		if !strings.Contains(r.body, "event 5.") && !strings.Contains(r.body, "event 6.") {
			for i := range 16 {
				if name := fmt.Sprintf("event %d.", i); strings.Contains(r.body, name) {
					delivered[name]++
				}
			}
		}
	}
	for name, n := range delivered {
		if n != 1 || len(delivered) != 14 {
			t.Errorf("%s arrived %d times, %d events in all", name, n, len(delivered))
		}
	}
}

func TestASinkThatFailsWhileABatchIsHalvedIsTriedAgain(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	url, _ := sink(t, func(body string) (int, string) {
		switch requests.Add(1) {
		case 1:
			return 413, "too much"
		case 2:
			return 200, ""
		}
		return 503, "tired"
	})
	verdicts := open(t, "url = %q\nbatch = 4", url).Write(t.Context(), events(4))
	for i, err := range verdicts {
		if i < 2 && err != nil || i >= 2 && (err == nil || pipeline.IsRefused(err)) {
			t.Errorf("event %d: %v", i, err)
		}
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestTheSuccessRule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rule, answer, says string }{
		{`json_field = "errcode", equals = "0"`, `{"errcode":0,"errmsg":"ok"}`, ""},
		{`json_field = "errcode", equals = "0"`, `{"errcode":"0"}`, ""},
		{`json_field = "errcode", equals = "0"`, `{"errcode":45009,"errmsg":"too often"}`, `errcode not "0": {"errcode":45009,"errmsg":"too often"}`},
		{`json_field = "errcode", equals = "0"`, `fine`, "without the field errcode"},
		{`json_field = "a.1.b", equals = "true"`, `{"a":[{},{"b":true}]}`, ""},
		{`json_field = "a.2.b", equals = "true"`, `{"a":[{},{"b":true}]}`, "without the field a.2.b"},
		{`json_field = "code", equals = ""`, `{"code":""}`, ""},
		{`json_field = "code", equals = ""`, `{"code":null}`, "code not"},
		{`contains = "ok"`, `all ok`, ""},
		{`contains = "ok"`, ``, `without "ok"`},
		{`regex = "^(ok|done)$"`, `done`, ""},
		{`regex = "^(ok|done)$"`, `not done`, "not as success.regex wants: not done"},
		{`contains = "a", regex = "b"`, `a`, "success.regex"},
	} {
		url, _ := sink(t, func(string) (int, string) { return 200, c.answer })
		verdicts := open(t, "url = %q\nsuccess = { %s }", url, c.rule).Write(t.Context(), events(1))
		switch err := verdicts[0]; {
		case c.says == "" && err != nil, c.says != "" && err == nil:
			t.Errorf("%s, %s: %v", c.rule, c.answer, err)
		case err != nil && (!strings.Contains(err.Error(), c.says) || pipeline.IsRefused(err)):
			t.Errorf("%s, %s: %v, want %s", c.rule, c.answer, err, c.says)
		}
	}
}

func TestTheRateLimit(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o := open(t, "url = %q\nrate_limit = 2", url)
	send(t, o, events(1))
	send(t, o, events(1))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := o.Write(ctx, events(1))[0]
	if wait := pipeline.RetryDelay(err); len(got) != 2 || wait < 30*time.Second || wait > time.Minute {
		t.Errorf("%d requests, %v, wait %v", len(got), err, wait)
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for options, want := range map[string][]string{
		``:                                               {"url: it is missing"},
		`method = "GET"`:                                 {":2: method: ", "POST, PUT, PATCH"},
		`batch = 0`:                                      {":2: batch: 0 is not between 1 and 10000"},
		`batch_format = "xml"`:                           {":2: batch_format: "},
		`content_type = "json"`:                          {":2: content_type: "},
		`content_type = "text/plain"`:                    {":2: content_type: ", "give a body"},
		"headers = { 'a b' = 'x' }":                      {":2: headers: ", "name of a header"},
		`headers.X = "a\nb"`:                             {":2: headers.X: ", "line breaks"},
		`headers.content-type = "x/y"`:                   {":2: headers.content-type: ", "content_type"},
		`headers.Idempotency-Key = "x"`:                  {":2: headers.Idempotency-Key: "},
		`bearer_token = "a\nb"`:                          {":2: bearer_token: "},
		`basic_auth_pass = "x"`:                          {":2: basic_auth_pass: needs basic_auth_user"},
		`basic_auth_user = "a:b"`:                        {"colon"},
		`http_proxy = "gopher://x"`:                      {":2: http_proxy: ", "http://host:port"},
		`tls_cert = "/x"`:                                {":2: tls_cert: needs tls_key"},
		`gzip = "yes"`:                                   {":2: gzip: expected true or false"},
		`rate_limit = -1`:                                {":2: rate_limit: "},
		`success = { regex = "(" }`:                      {":2: success.regex: "},
		`success = { json_field = "x" }`:                 {":2: success.json_field: "},
		`success = { equals = "x" }`:                     {":2: success.equals: "},
		"bearer_token='a'\nbasic_auth_user='b'":          {":2: bearer_token: ", "choose one"},
		"bearer_token='a'\nheaders.Authorization='b'":    {":3: headers.Authorization: ", "choose one"},
		"batch = 2\ncontent_type='text/plain'\nbody='x'": {":2: batch: "},
		`body = "{{.Title"`:                              {":2: body: line 1 of the template: "},
		"body = '''\n{\"a\":\n{{.Tilte}}}'''":            {":2: body: line 2 of the template: ", "Tilte"},
		"body = '''\n{\"a\":\n{{.Title}}}'''":            {":2: body: the template does not make JSON: line 2", "{{json .Labels}}"},
		`body = '{"a": "{{raw .Title}}"}'`:               {"does not make JSON"},
		`body = '{"a": {{.Labels}} }'`:                   {"does not make JSON"},
		`body = '{"a": {{.Attrs.nope}} }'`:               {"does not make JSON"},
		`body = '{{nope .Title}}'`:                       {`function "nope" not defined`},
	} {
		url := "url = 'http://host/'\n"
		if options == "" {
			url = ""
		}
		pipetest.WantError(t, pipetest.TryOptions(url+options, New()), want...)
	}
}

func TestTemplatesCannotBreakJSON(t *testing.T) {
	t.Parallel()
	nasty := pipeline.Event{
		Status: pipeline.Critical, Labels: pipeline.L("check", `say "hi"\`, "target", "a\nb\x00"), TitleRule: "$check::$target",
		Description: "[MD]\n- **x**: \"\xff\u2028<b>", NotifyCount: 3, FirstFireTime: 1, Attrs: []pipeline.Attr{{Key: "loss", Value: 12.5}, {Key: "big", Value: 12345678}},
	}
	for template, want := range map[string]string{
		`{"t": "{{.Title}}"}`:                                                  `{"t":"say \"hi\"\\ / a\nb\u0000"}`,
		`{"t": {{json .Title}}}`:                                               `{"t":"say \"hi\"\\ / a\nb\u0000"}`,
		`{"t": "{{.Status | lower}} {{upper .Status}}"}`:                       `{"t":"critical CRITICAL"}`,
		`{"t": "{{printf "%s!" .Labels.check}}"}`:                              `{"t":"say \"hi\"\\!"}`,
		`{"t": "{{.Labels.nope}}", "u": {{json .Labels.nope}}}`:                `{"t":"","u":""}`,
		`{"n": {{.NotifyCount}}, "loss": {{json .Attrs.loss}}}`:                `{"n":3,"loss":12.5}`,
		`{"n": {{json .Attrs.nope}}, "big": "{{.Attrs.big}}"}`:                 `{"n":null,"big":"12345678"}`,
		`{"l": {{json .Labels}}}`:                                              `{"l":{"check":"say \"hi\"\\","target":"a\nb\u0000"}}`,
		`{"l": "{{.Labels}}"}`:                                                 `{"l":"{\"check\":\"say \\\"hi\\\"\\\\\",\"target\":\"a\\nb\\u0000\"}"}`,
		`{"t": "{{.Text}}", "time": {{.Time}}}`:                                `{"t":"- **x**: \"` + "\uFFFD" + `\u2028<b>","time":1734339605}`,
		`{"t": "{{cut 5 .Title}}"}`:                                            `{"t":"say \""}`,
		`{"y": "{{date "2006" .Time}}"}`:                                       `{"y":"2024"}`,
		`{"t": "{{if eq .Status "Critical"}}bad{{else}}{{.Title}}{{end}}"}`:    `{"t":"bad"}`,
		`{"t": "{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}"}`:            `{"t":"check=say \"hi\"\\;target=a\nb\u0000;"}`,
		`{"t": "{{with .Labels.check}}{{.}}{{end}}"}`:                          `{"t":"say \"hi\"\\"}`,
		`{{define "x"}}{{.}}{{end}}{"t": "{{template "x" .Title}}"}`:           `{"t":"say \"hi\"\\ / a\nb\u0000"}`,
		`{"t": "{{$x := .Title}}{{$x}}"}`:                                      `{"t":"say \"hi\"\\ / a\nb\u0000"}`,
		`{"t": "{{replace "say" "yell" .Labels.check | trimPrefix "yell "}}"}`: `{"t":"\"hi\"\\"}`,
		`{"a": "{{.ID}} {{.AlertKey}} {{.TitleRule}} {{.FirstFireTime}}"}`:     `{"a":"0193c0ffee00000000000000000000ff 4f1b21a435253bf868a1249d3ba7715f $check::$target 1"}`,
		`{"l": {{raw (json .Status)}}}`:                                        `{"l":"Critical"}`,
	} {
		o := open(t, "url = 'http://host/'\nbatch_format = 'ndjson'\nbody = '''%s'''", template)
		body, err := o.encode.batch([]*pipeline.Message{pipetest.Message(nasty)})
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		var same any
		if got := strings.TrimSpace(string(body)); got != want || json.Unmarshal(body, &same) != nil {
			t.Errorf("%s\ngives %s\nwant  %s", template, got, want)
		}
	}
}

func TestTextTemplatesAreNotEscaped(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	m := pipetest.Message(pipeline.Event{Labels: pipeline.L("check", `a "b" & c`)})
	send(t, open(t, "url = %q\ncontent_type = 'text/plain; charset=utf-8'\nbody = 'say: {{.Title}}'", url), []*pipeline.Message{m})
	send(t, open(t, "url = %q\ncontent_type = 'application/x-www-form-urlencoded'\nbody = 'say={{urlquery .Title}}'", url), []*pipeline.Message{m})
	if a, b := <-got, <-got; a.body != `say: a "b" & c` || b.body != `say=a+%22b%22+%26+c` {
		t.Errorf("bodies %s, %s", a.body, b.body)
	}
}

func TestWhatIsNotThereIsEmpty(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"text/plain", "application/json"} {
		url, got := sink(t, fine)
		send(t, open(t, "url = %q\ncontent_type = %q\nbody = '\"a {{.Labels.none}}b {{.Attrs.none}}c\"'", url, contentType), events(1))
		if r := <-got; r.body != `"a b c"` {
			t.Errorf("%s: %s", contentType, r.body)
		}
	}
}

func TestTemplatesInBatches(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	const body = "{\n  \"text\": \"{{.Description}}\"\n}"
	send(t, open(t, "url = %q\nbatch = 5\nbody = '''%s'''", url, body), events(2))
	send(t, open(t, "url = %q\nbatch = 5\nbatch_format = 'ndjson'\nbody = '''%s'''", url, body), events(2))
	if r := <-got; r.body != "[{\n  \"text\": \"event 0.\"\n},{\n  \"text\": \"event 1.\"\n}]" {
		t.Errorf("array %s", r.body)
	}
	if r := <-got; r.body != "{\"text\":\"event 0.\"}\n{\"text\":\"event 1.\"}\n" {
		t.Errorf("lines %s", r.body)
	}
}

func TestAnEventThatMakesNoJSONIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	o := open(t, "url = %q\nbatch = 3\nbody = '{\"n\": {{if .Labels.n}}{{raw .Labels.n}}{{else}}0{{end}}}'", url)
	batch := events(3)
	batch[1] = pipetest.Message(pipeline.Event{Labels: pipeline.L("n", "oops hunter2")})
	verdicts := o.Write(t.Context(), batch)
	if verdicts[0] != nil || verdicts[2] != nil || !pipeline.IsRefused(verdicts[1]) || strings.Contains(verdicts[1].Error(), "hunter2") {
		t.Errorf("verdicts %v, %d requests", verdicts, len(got))
	}
}

func TestAnAnswerThatRepeatsTheRequestTellsNoSecret(t *testing.T) {
	t.Parallel()
	echo := ""
	url, _ := sink(t, func(string) (int, string) { return 500, echo })
	for options, secrets := range map[string][]string{
		"bearer_token = 'hunter2token'":                           {"hunter2token"},
		"basic_auth_user = 'me'\nbasic_auth_pass = 'hunter2pass'": {"hunter2pass", "bWU6aHVudGVyMnBhc3M="},
		"headers.X-Key = 'hunter2header'":                         {"hunter2header"},
	} {
		echo = strings.Join(secrets, " ")
		err := open(t, "url = %q\n%s", url, options).Write(t.Context(), events(1))[0]
		for _, secret := range secrets {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v", err)
			}
		}
		pipetest.WantError(t, err, "500 Internal Server Error: ***")
	}
}
