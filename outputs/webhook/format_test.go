package webhook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func firing() *pipeline.Message {
	return pipetest.Message(pipeline.Event{
		Status: pipeline.Critical, AlertKey: "k", TitleRule: "$check", Time: 1734339605, FirstFireTime: 1734339600,
		Labels:      pipeline.L("check", "disk <usage>", "from_hostname", "web1", "target", "/data"),
		Description: "[MD]\n- **used**: 91 % & more\n- **look further**: `df -h`", Attrs: []pipeline.Attr{{Key: "used_percent", Value: 91.0}},
	})
}

func recovered() *pipeline.Message {
	return pipetest.Message(pipeline.Event{Status: pipeline.Ok, AlertKey: "k", TitleRule: "$check", Time: 1734339705, FirstFireTime: 1734339600,
		Labels: pipeline.L("check", "disk <usage>", "from_hostname", "web1", "target", "/data"), Description: "[MD]\n- **used**: 50 %"})
}

// at looks up a value in a JSON body, as text.
func at(t *testing.T, body, path string) string {
	t.Helper()
	text, found := lookUp([]byte(body), path)
	if !found {
		t.Fatalf("no %s in %s", path, body)
	}
	return text
}

const headline = "🔴 Critical: disk <usage>, /data (web1)"

// TestEveryServiceIsToldInItsOwnWay holds what each service documents: what it must be sent, and with
// which answer it says that all is well.
func TestEveryServiceIsToldInItsOwnWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options string
		answer  string
		path    string            // of the request
		fields  map[string]string // of the body
		ended   map[string]string // of that of the recovery
	}{
		"slack": {answer: "ok", fields: map[string]string{"text": "*🔴 Critical: disk &lt;usage&gt;, /data (web1)*\n\n- *used*: 91 % &amp; more\n- *look further*: `df -h`"},
			ended: map[string]string{"text": "*✅ Recovered: disk &lt;usage&gt;, /data (web1)*\n\n- *used*: 50 %"}},
		"dingtalk": {answer: `{"errcode":0,"errmsg":"ok"}`, fields: map[string]string{
			"msgtype": "markdown", "markdown.title": headline, "markdown.text": "**" + tame(headline) + "**  \n  \n- **used**: 91 % & more  \n- **look further**: `df -h`"}},
		"feishu": {answer: `{"code":0,"msg":"success"}`, fields: map[string]string{
			"msg_type": "interactive", "card.header.template": "red", "card.header.title.content": headline,
			"card.elements.0.content": "- **used**: 91 % & more\n- **look further**: `df -h`"}, ended: map[string]string{"card.header.template": "green"}},
		"wecom": {answer: `{"errcode":0,"errmsg":"ok"}`, fields: map[string]string{
			"msgtype": "markdown", "markdown.content": "**" + tame(headline) + "**\n\n- **used**: 91 % & more\n- **look further**: `df -h`"}},
		"telegram": {options: "token = '12:ab'\nchat_id = '-100'", answer: `{"ok":true,"result":{}}`, path: "/bot12:ab/sendMessage", fields: map[string]string{
			"chat_id": "-100", "parse_mode": "HTML",
			"text": "<b>🔴 Critical: disk &lt;usage&gt;, /data (web1)</b>\n\n- <b>used</b>: 91 % &amp; more\n- <b>look further</b>: <code>df -h</code>"}},
		"ntfy": {options: "topic = 'ops'", answer: `{"id":"x"}`, fields: map[string]string{
			"topic": "ops", "title": "Critical: disk <usage>, /data (web1)", "message": "- **used**: 91 % & more\n- **look further**: `df -h`", "priority": "5", "tags.0": "rotating_light", "markdown": "true"},
			ended: map[string]string{"title": "Recovered: disk <usage>, /data (web1)", "priority": "3", "tags.0": "white_check_mark"}},
		"pagerduty": {options: "routing_key = 'R'", answer: `{"status":"success"}`, fields: map[string]string{
			"routing_key": "R", "dedup_key": "k", "event_action": "trigger", "payload.severity": "critical", "payload.source": "web1",
			"payload.summary": "Critical: disk <usage>, /data (web1)", "payload.timestamp": "2024-12-16T09:00:05Z", "payload.custom_details.used_percent": "91"},
			ended: map[string]string{"dedup_key": "k", "event_action": "resolve"}},
		"cloudevents": {answer: "", fields: map[string]string{"specversion": "1.0", "type": "catpaw.alert.firing", "data.alert_key": "k"},
			ended: map[string]string{"type": "catpaw.alert.recovered"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, got := sink(t, func(string) (int, string) { return 200, c.answer })
			o := open(t, "url = %q\nformat = %q\n%s", url, name, c.options)
			send(t, o, []*pipeline.Message{firing()})
			r := <-got
			for path, want := range c.fields {
				if found := at(t, r.body, path); found != want {
					t.Errorf("%s is\n%q, want\n%q", path, found, want)
				}
			}
			if c.path != "" && r.URL.Path != c.path {
				t.Errorf("path %s", r.URL.Path)
			}
			send(t, o, []*pipeline.Message{recovered()})
			r = <-got
			for path, want := range c.ended {
				if found := at(t, r.body, path); found != want {
					t.Errorf("at the end, %s is %q, want %q", path, found, want)
				}
			}
		})
	}
}

// Signatures as the services' own documentation computes them, for this secret and moment.
func TestSignatures(t *testing.T) {
	t.Parallel()
	moment := func() time.Time { return time.UnixMilli(1599360473000) }
	url, got := sink(t, func(string) (int, string) { return 200, `{"errcode":0,"code":0}` })
	o := open(t, "url = '%s/robot?access_token=a'\nformat = 'dingtalk'\nsecret = 'this is secret'", url)
	o.now = moment
	send(t, o, []*pipeline.Message{firing()})
	// printf '1599360473000\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
	if q := (<-got).URL.Query(); q.Get("access_token") != "a" || q.Get("timestamp") != "1599360473000" || q.Get("sign") != dingSign {
		t.Errorf("DingTalk: %v", q)
	}
	o = open(t, "url = %q\nformat = 'feishu'\nsecret = 'demo'", url)
	o.now = moment
	send(t, o, []*pipeline.Message{firing()})
	// printf '' | openssl dgst -sha256 -hmac $'1599360473\ndemo' -binary | base64
	if body := (<-got).body; at(t, body, "timestamp") != "1599360473" || at(t, body, "sign") != feishuSign {
		t.Errorf("Feishu: %s", body)
	}
}

func TestServicesThatSayNo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, options string
		status        int
		answer, says  string
		refused       bool
		wait          time.Duration
	}{
		{name: "dingtalk with a wrong keyword", options: "format = 'dingtalk'", status: 200, answer: `{"errcode":310000,"errmsg":"keywords not in content"}`, says: "keywords not in content"},
		{name: "dingtalk told too much", options: "format = 'dingtalk'", status: 200, answer: `{"errcode":130101,"errmsg":"send too fast"}`, says: "send too fast", wait: time.Minute},
		{name: "feishu with a wrong signature", options: "format = 'feishu'", status: 200, answer: `{"code":19021,"msg":"sign match fail"}`, says: "sign match fail"},
		{name: "feishu told too much", options: "format = 'feishu'", status: 200, answer: `{"code":11232,"msg":"frequency limited"}`, says: "frequency limited", wait: time.Minute},
		{name: "wecom told too much", options: "format = 'wecom'", status: 200, answer: `{"errcode":45009,"errmsg":"api freq out of limit"}`, says: "api freq", wait: time.Minute},
		{name: "wecom with something else in the answer", options: "format = 'wecom'", status: 200, answer: "<html>", says: "errcode is not 0"},
		{name: "telegram told too much", options: "format = 'telegram'\ntoken = 't'\nchat_id = '1'", status: 429, answer: `{"ok":false,"error_code":429,"parameters":{"retry_after":7}}`, says: "429", wait: 7 * time.Second},
		{name: "telegram with a chat that is not", options: "format = 'telegram'\ntoken = 't'\nchat_id = '1'", status: 400, answer: `{"ok":false,"description":"Bad Request: chat not found"}`, says: "chat not found", wait: time.Minute},
		{name: "telegram with a text that it cannot read", options: "format = 'telegram'\ntoken = 't'\nchat_id = '1'", status: 400, answer: `{"ok":false,"description":"Bad Request: can't parse entities"}`, says: "parse entities", refused: true},
		{name: "pagerduty with an event that it will not have", options: "format = 'pagerduty'\nrouting_key = 'r'", status: 400, answer: `{"status":"invalid event"}`, says: "invalid event", refused: true},
		{name: "pagerduty told too much", options: "format = 'pagerduty'\nrouting_key = 'r'", status: 429, answer: "", says: "429"},
		{name: "slack told too much", options: "format = 'slack'", status: 429, answer: "", says: "429"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url, _ := sink(t, func(string) (int, string) { return c.status, c.answer })
			err := open(t, "url = %q\n%s", url, c.options).Write(t.Context(), []*pipeline.Message{firing()})[0]
			if err == nil || !strings.Contains(err.Error(), c.says) || pipeline.IsRefused(err) != c.refused || pipeline.RetryDelay(err) != c.wait {
				t.Errorf("verdict %v, refused %v, wait %s", err, pipeline.IsRefused(err), pipeline.RetryDelay(err))
			}
		})
	}
}

func TestTextsAreCutToWhatAServiceTakes(t *testing.T) {
	t.Parallel()
	long := pipetest.Message(pipeline.Event{Status: pipeline.Critical, Description: "[MD]\n- **x**: " + strings.Repeat("é<", 30_000)})
	for name, c := range map[string]struct {
		options, path string
		most          int
		size          func(string) int
	}{
		"slack":    {path: "text", most: 40_000, size: utf8.RuneCountInString},
		"dingtalk": {path: "markdown.text", most: 20_000, size: bytesOf},
		"feishu":   {path: "card.elements.0.content", most: 15_000, size: bytesOf},
		"wecom":    {path: "markdown.content", most: 4096, size: bytesOf},
		"ntfy":     {options: "topic = 'x'", path: "message", most: 4096, size: bytesOf},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, got := sink(t, func(string) (int, string) { return 200, `{"errcode":0,"code":0,"ok":true}` })
			send(t, open(t, "url = %q\nformat = %q\n%s", url, name, c.options), []*pipeline.Message{long})
			text := at(t, (<-got).body, c.path)
			if c.size(text) > c.most || c.size(text) < c.most*9/10 || !strings.HasSuffix(text, cutMark) || !utf8.ValidString(text) {
				t.Errorf("%d long, ends in %q", c.size(text), text[max(0, len(text)-30):])
			}
		})
	}
}

func TestCloudEventsInBatches(t *testing.T) {
	t.Parallel()
	url, got := sink(t, fine)
	send(t, open(t, "url = %q\nformat = 'cloudevents'\nbatch = 10", url), []*pipeline.Message{firing(), recovered()})
	r := <-got
	var all []struct{ Subject string }
	if err := json.Unmarshal([]byte(r.body), &all); err != nil || len(all) != 2 || r.Header.Get("Content-Type") != "application/cloudevents-batch+json" {
		t.Errorf("%s: %s (%v)", r.Header.Get("Content-Type"), r.body, err)
	}
}

func TestFormatsAreJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, options, want string }{
		{"a format that there is not", "format = 'slak'", `test.toml:2: format: "slak" is not one of`},
		{"nearly one", "format = 'slak'", `did you mean "slack"?`},
		{"a template beside it", "format = 'slack'\nbody = '{}'", `test.toml:3: body: format = "slack" settles it; leave it out`},
		{"a rule for success beside it", "format = 'wecom'\nsuccess.contains = 'x'", `success: format = "wecom" settles it`},
		{"a content type beside it", "format = 'slack'\ncontent_type = 'a/b'", `content_type: format = "slack" settles it`},
		{"batches where there are none", "format = 'slack'\nbatch = 2", `batch: format = "slack" settles it`},
		{"an option that is missing", "format = 'telegram'\ntoken = 'x'", `chat_id: format = "telegram" needs it`},
		{"an option of another format", "format = 'slack'\nsecret = 'x'", `test.toml:3: secret: format = "slack" does not use it`},
		{"an option of a format, and none", "routing_key = 'x'", `routing_key: format = "json" does not use it`},
		{"too much zeal", "format = 'alertmanager'\nresend = '10ms'", "resend: it must be at least 1 second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pipetest.WantError(t, pipetest.TryOptions("url = 'http://127.0.0.1:1'\n"+c.options, New()), c.want)
		})
	}
	for options, url := range map[string]string{
		"format = 'pagerduty'\nrouting_key = 'r'":            "https://events.pagerduty.com/v2/enqueue",
		"format = 'telegram'\ntoken = 'T'\nchat_id = '@ops'": "https://api.telegram.org",
		"format = 'ntfy'\ntopic = 't'":                       "https://ntfy.sh",
	} {
		if o := open(t, "%s", options); o.URL.Reveal() != url {
			t.Errorf("%s goes to %s", options, o.URL.Reveal())
		}
	}
}

func TestServicesHaveTheirOwnRate(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]int{"slack": 60, "dingtalk": 20, "feishu": 100, "wecom": 20} {
		o := open(t, "url = 'http://127.0.0.1:1'\nformat = %q", format)
		if o.RateLimit != want || o.limit == nil {
			t.Errorf("%s: %d a minute", format, o.RateLimit)
		}
		if o := open(t, "url = 'http://127.0.0.1:1'\nformat = %q\nrate_limit = 7", format); o.RateLimit != 7 {
			t.Errorf("%s: rate_limit does not count: %s", format, fmt.Sprint(o.RateLimit))
		}
	}
}

const (
	dingSign   = "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I="
	feishuSign = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
)

// TestMarksNeverCross: what a service gets is well formed, whatever the description holds.
func TestMarksNeverCross(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ html, slack string }{
		"- **a**: `b`":        {"- <b>a</b>: <code>b</code>", "- *a*: `b`"},
		"**a `b** c` d":       {"**a <code>b** c</code> d", "**a `b** c` d"},
		"`a **b` c**":         {"<code>a **b</code> c**", "`a **b` c**"},
		"```\nx **y\n``` z**": {"<pre>x **y</pre> z**", "```x **y``` z**"},
		"<b> & **<i>**":       {"&lt;b&gt; &amp; <b>&lt;i&gt;</b>", "&lt;b&gt; &amp; *&lt;i&gt;*"},
	} {
		n := notice{Headline: "h", Text: text, markdown: true}
		if got := strings.TrimPrefix(n.asHTML(), "<b>h</b>\n\n"); got != want.html {
			t.Errorf("%q\n%s, want\n%s", text, got, want.html)
		}
		if got := strings.TrimPrefix(n.asSlack(), "*h*\n\n"); got != want.slack {
			t.Errorf("%q\n%s, want\n%s", text, got, want.slack)
		}
	}
}

// TestNobodyIsCalledByALogLine: tags that a description brings along stay text.
func TestNobodyIsCalledByALogLine(t *testing.T) {
	t.Parallel()
	event := pipetest.Message(pipeline.Event{Status: pipeline.Warning, TitleRule: "$check", Labels: pipeline.L("check", "<@all>"), Description: "<at id=all></at> 1 < 2 <font color=red>"})
	for _, format := range []string{"feishu", "dingtalk", "wecom"} {
		url, got := sink(t, func(string) (int, string) { return 200, `{"errcode":0,"code":0}` })
		send(t, open(t, "url = %q\nformat = %q", url, format), []*pipeline.Message{event})
		body := (<-got).body
		for _, tag := range []string{"<at", "</at", "<font", "**<@"} {
			if strings.Contains(body, tag) {
				t.Errorf("%s has %s in %s", format, tag, body)
			}
		}
		if !strings.Contains(body, "1 < 2") {
			t.Errorf("%s changes what is no tag: %s", format, body)
		}
	}
}
