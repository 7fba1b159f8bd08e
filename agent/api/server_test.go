package api

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
	"catpaw/store"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestTheMetricsAreAPromise: names, types and labels are what dashboards are built on.
func TestTheMetricsAreAPromise(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 500_000_000)
	var got bytes.Buffer
	err := writeMetrics(&got, Status{
		Version: "1.2.3", Started: at, Config: Loaded{At: at, Refused: "a.toml:1: x"},
		Checks: []pipeline.CheckHealth{
			{ID: "exec/1", Plugin: "exec", Source: "p.exec/a \"b\".toml:1", Began: at, Took: 0.25, Results: 3, Bad: 1, Runs: 7, Skipped: 2, Error: "no"},
			{ID: "net/2", Plugin: "net", Source: "p.net/a.toml:1"},
		},
		Heartbeat: &Heartbeat{LastBeat: at, Error: "no"},
		Alerts:    []Alert{{Phase: "firing", Severity: "Critical", Muted: "silenced by 1"}, {Phase: "firing", Severity: "Critical"}, {Phase: "recovered"}},
		Outputs:   []QueueStatus{{QueueInfo: store.QueueInfo{Name: "chat", Queued: 2, Bytes: 700, Held: 1, Counts: store.Counts{Accepted: 9, Delivered: 3, Dead: 1, Merged: 1, Lost: 1, Purged: 1}}, Health: pipeline.Health{FailsSince: at}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%v; the metrics are\n%s", err, got.Bytes())
	}
}

// TestEveryMetricIsDocumented, as it says itself what it is, and none that there is not.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	described := strings.Count(string(page), "\n| `catpaw_")
	families := strings.Split(string(golden), "# HELP ")[1:]
	for _, family := range families {
		head, rest, _ := strings.Cut(family, "\n")
		name, help, _ := strings.Cut(head, " ")
		kind, samples, _ := strings.Cut(strings.TrimPrefix(rest, "# TYPE "+name+" "), "\n")
		var labels []string
		sample, _, _ := strings.Cut(samples, "\n")
		for _, m := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(sample, -1) {
			labels = append(labels, "`"+m[1]+"`")
		}
		if row := fmt.Sprintf("\n| `%s` | %s | %s | %s |\n", name, kind, strings.Join(labels, ", "), help); !strings.Contains(string(page), row) {
			t.Errorf("docs/api.md lacks this row:%s", row)
		}
	}
	if described != len(families) {
		t.Errorf("docs/api.md describes %d metrics of %d", described, len(families))
	}
}

func TestWhoMayLook(t *testing.T) {
	t.Parallel()
	open := Options{Listen: "127.0.0.1:0"}
	both := Options{Listen: "127.0.0.1:0", User: "me", Password: "pass", Token: "tok"}
	strangers := 0
	for _, c := range []struct {
		name    string
		options Options
		method  string
		path    string
		header  map[string]string
		want    int
	}{
		{"anybody on this machine", open, "GET", "/x", nil, 200},
		{"by the name localhost", open, "GET", "/x", map[string]string{"Host": "localhost:8940"}, 200},
		{"by IPv6", open, "GET", "/x", map[string]string{"Host": "[::1]:8940"}, 200},
		{"a site that resolves to us", open, "GET", "/x", map[string]string{"Host": "evil.example:8940"}, 403},
		{"a probe by another name", open, "GET", "/healthz", map[string]string{"Host": "pod.cluster"}, 200},
		{"a form on our own page", open, "POST", "/x", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"a program that posts", open, "POST", "/x", nil, 200},
		{"a form on another site", open, "POST", "/x", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a form on another site, in an old browser", open, "POST", "/x", map[string]string{"Origin": "https://evil.example"}, 403},
		{"nobody we know", both, "GET", "/x", nil, 401},
		{"nobody we know may ask for health", both, "GET", "/readyz", nil, 200},
		{"with the token", both, "GET", "/x", map[string]string{"Authorization": "Bearer tok"}, 200},
		{"with another token", both, "GET", "/x", map[string]string{"Authorization": "Bearer to"}, 401},
		{"with the password", both, "GET", "/x", map[string]string{"Authorization": "Basic bWU6cGFzcw=="}, 200},
		{"with another password", both, "GET", "/x", map[string]string{"Authorization": "Basic bWU6cGFzYw=="}, 401},
		{"with the password, from another site", both, "POST", "/x", map[string]string{"Authorization": "Basic bWU6cGFzcw==", "Sec-Fetch-Site": "cross-site"}, 403},
		{"an empty token", Options{User: "me", Password: "pass"}, "GET", "/x", map[string]string{"Authorization": "Bearer "}, 401},
		{"an empty password", Options{Token: "tok"}, "GET", "/x", map[string]string{"Authorization": "Basic Og=="}, 401},
	} {
		handler := c.options.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(*http.Request) { strangers++ })
		r := httptest.NewRequest(c.method, "http://127.0.0.1:8940"+c.path, nil)
		for name, value := range c.header {
			r.Header.Set(name, value)
			if name == "Host" {
				r.Host = value
			}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
	}
	if strangers != 5 {
		t.Errorf("%d strangers were told of, want 5", strangers)
	}
}

// TestStrangersHearOnlyThatItIsUnwell.
func TestStrangersHearOnlyThatItIsUnwell(t *testing.T) {
	t.Parallel()
	unwell := sayWell(func() error { return errors.New("check exec/1 ought to have run") })
	for header, want := range map[string]string{"": "unwell: log in", "Bearer tok": "check exec/1"} {
		r := httptest.NewRequest("GET", "http://127.0.0.1/healthz", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		Options{Listen: ":1", Token: "tok"}.guard(unwell, func(*http.Request) {}).ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	}
}

// TestStrangersDoNotFillTheLog.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.DebugLevel)
	tell := (&Server{log: zap.New(core)}).strangers()
	for range 100 {
		r := httptest.NewRequest("GET", "http://127.0.0.1/", nil)
		tell(r) // a browser that has yet to ask its user
		r.SetBasicAuth("me", "guess")
		tell(r)
	}
	if logs.Len() != 1 || strings.Contains(fmt.Sprint(logs.All()), "guess") {
		t.Errorf("the log has %v", logs.All())
	}
}

func TestWrongStatusPages(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		"":                                  "listen: it is missing",
		"listen = 'here'":                   "listen: \"here\" is no address",
		"listen = '127.0.0.1:99999'":        "listen:",
		"listen = '0.0.0.0:8940'":           "set user and password, or token",
		"listen = ':8940'":                  "set user and password, or token",
		"listen = '[::]:8940'\nuser = 'me'": "user and password go together",
		"listen = '127.0.0.1:1'\ntokn = 1":  `did you mean "token"?`,
	} {
		pipetest.WantError(t, pipetest.TryOptions(options, &Options{}), want)
	}
	for _, fine := range []string{"listen = '127.0.0.1:8940'", "listen = 'localhost:8940'", "listen = '[::1]:1'", "listen = ':1'\ntoken = 'x'", "listen = '10.0.0.1:1'\nuser = 'a'\npassword = 'b'"} {
		if err := pipetest.TryOptions(fine, &Options{}); err != nil {
			t.Errorf("%s: %v", strings.ReplaceAll(fine, "\n", "; "), err)
		}
	}
}

// TestThePageLoadsNothingFromElsewhere, and lets nobody put anything into it.
func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	pageRoutes(mux)
	handler := strictly(mux)
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/", 200}, {"HEAD", "/", 200}, {"GET", "/page.js", 200}, {"GET", "/page.css", 200}, {"POST", "/", 405}, {"GET", "/index.html", 404}, {"GET", "/web/", 404}} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(c.method, "http://127.0.0.1"+c.path, nil))
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.want)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';") {
			t.Errorf("%s: the policy is %q", c.path, policy)
		}
		for _, elsewhere := range []string{"http://", "https://", "innerHTML", "<style", "onclick"} {
			if strings.Contains(w.Body.String(), elsewhere) {
				t.Errorf("%s holds %s", c.path, elsewhere)
			}
		}
	}
}
