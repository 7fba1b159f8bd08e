package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"catpaw/internal/config"
)

// still is an agent that answers all it is asked with nothing, and remembers silences.
type still struct {
	Agent
	silences []NewSilence
	acked    []string // by whom
}

func (*still) Status() (Status, error)              { return Status{}, nil }
func (*still) List() ([]QueueStatus, error)         { return nil, nil }
func (*still) Why(string) (Why, error)              { return Why{}, nil }
func (*still) Silences() ([]Silence, error)         { return nil, nil }
func (*still) EndSilence(int) (Changed, error)      { return Changed{}, nil }
func (*still) Follow(int, Process) (Changed, error) { return Changed{}, nil }
func (*still) Unack(string) (Acked, error)          { return Acked{}, nil }
func (*still) Stuck() error                         { return nil }
func (*still) Unwell() error                        { return nil }
func (s *still) Ack(_, by, _ string) (Acked, error) {
	s.acked = append(s.acked, by)
	return Acked{}, nil
}
func (s *still) AddSilence(n NewSilence) (Added, error) {
	s.silences = append(s.silences, n)
	return Added{Silence: Silence{ID: 1}}, nil
}

// TestWhoChangesSomethingIsNamed: whoever logged in, unless the request names another. A login that nobody asked for
// proves nothing, and a token is nobody's.
func TestWhoChangesSomethingIsNamed(t *testing.T) {
	t.Parallel()
	guarded := Options{Listen: ":1", User: "ada", Password: "pass", Token: "tok"}
	for _, c := range []struct {
		name, header, by string
		options          Options
		want             string
	}{
		{"with a password", "Basic YWRhOnBhc3M=", "", guarded, "ada"},
		{"with a password, for another", "Basic YWRhOnBhc3M=", "bob", guarded, "bob"},
		{"with the token", "Bearer tok", "", guarded, ""},
		{"where nobody logs in", "Basic YWRhOnBhc3M=", "", Options{Listen: "127.0.0.1:1"}, ""},
	} {
		agent := &still{}
		handler := c.options.guard(public(agent), func(*http.Request) {})
		for path, body := range map[string]string{"silences": `{"match": {"a": "b"}, "for_seconds": 60, "by": "` + c.by + `"}`, "ack?key=a&by=" + c.by: ""} {
			r := httptest.NewRequest("POST", "http://127.0.0.1"+root+path, strings.NewReader(body))
			r.Header.Set("Authorization", c.header)
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		if len(agent.silences) != 1 || agent.silences[0].By != c.want || len(agent.acked) != 1 || agent.acked[0] != c.want {
			t.Errorf("%s: %+v %q, want %q", c.name, agent.silences, agent.acked, c.want)
		}
	}
}

// TestEveryCall tries each call of the API over TCP as it is meant and as it is not.
func TestEveryCall(t *testing.T) {
	t.Parallel()
	options := Options{Listen: "127.0.0.1:0", Token: config.Secret("tok")}
	handler := options.guard(public(&still{}), func(*http.Request) {})
	ask := func(method, path, body string, header ...string) int {
		r := httptest.NewRequest(method, "http://catpaw"+path, strings.NewReader(body))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	const login, token, form = "Authorization", "Bearer tok", "application/x-www-form-urlencoded"
	huge := `{"match": {"check": "` + strings.Repeat("x", 2*maxBody) + `"}}`
	for _, c := range calls {
		path := root + strings.NewReplacer("{id}", "1", "{name}", "chat").Replace(c.path)
		want := either(c.public, http.StatusOK, http.StatusNotFound) // whoever has the password may not do the rest
		changes := c.method != http.MethodGet
		if got := ask(c.method, path, "{}", login, token); got != want {
			t.Errorf("%s %s: %d, want %d", c.method, path, got, want)
		}
		if !c.public {
			continue
		}
		for what, one := range map[string]struct{ got, want int }{
			"nobody we know":       {ask(c.method, path, "{}"), http.StatusUnauthorized},
			"a wrong token":        {ask(c.method, path, "{}", login, "Bearer no"), http.StatusUnauthorized},
			"another method":       {ask(http.MethodPatch, path, "{}", login, token), http.StatusMethodNotAllowed},
			"TRACE":                {ask(http.MethodTrace, path, "", login, token), http.StatusMethodNotAllowed},
			"from another site":    {ask(c.method, path, "{}", login, token, "Sec-Fetch-Site", "cross-site"), either(changes, http.StatusForbidden, want)},
			"from another origin":  {ask(c.method, path, "{}", login, token, "Origin", "https://evil.example"), either(changes, http.StatusForbidden, want)},
			"a body without end":   {ask(c.method, path, huge, login, token), http.StatusRequestEntityTooLarge},
			"a form without end":   {ask(c.method, path, huge, login, token, "Content-Type", form), http.StatusRequestEntityTooLarge},
			"a body of other data": {ask(c.method, path, "\x00<xml>", login, token), either(c.json, http.StatusUnprocessableEntity, want)},
			"a form that is none":  {ask(c.method, path, "a=%zz", login, token, "Content-Type", form), either(c.json || c.method == http.MethodPost, http.StatusUnprocessableEntity, want)},
			"a query that is none": {ask(c.method, path+"?a=%zz", "", login, token), http.StatusUnprocessableEntity},
		} {
			if one.got != one.want {
				t.Errorf("%s %s, %s: %d, want %d", c.method, path, what, one.got, one.want)
			}
		}
	}
	for _, path := range []string{"/", "/metrics", root, root + "nothing", "/debug/pprof/", "/../page.go", "/api/v1/../../page.go"} {
		if got := ask("GET", path, ""); got != http.StatusUnauthorized {
			t.Errorf("GET %s without a login: %d", path, got)
		}
	}
}

// TestProfiles: go tool pprof may look through the control socket, and nowhere else.
func TestProfiles(t *testing.T) {
	t.Parallel()
	for path, magic := range map[string]string{
		"":                  "goroutine", // the list
		"heap":              "\x1f\x8b",  // gzip
		"goroutine?debug=1": "goroutine profile:",
	} {
		r := httptest.NewRequest("GET", "http://catpaw/debug/pprof/"+path, nil)
		w := httptest.NewRecorder()
		everything(&still{}).ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), magic) {
			t.Errorf("%s on the socket: %d", path, w.Code)
		}
		w = httptest.NewRecorder()
		public(&still{}).ServeHTTP(w, r)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s over TCP: %d", path, w.Code)
		}
	}
}

func either(yes bool, a, b int) int {
	if yes {
		return a
	}
	return b
}

// TestSilencesAreReadStrictly: what is misspelt must not silence more, or longer, than was meant.
func TestSilencesAreReadStrictly(t *testing.T) {
	t.Parallel()
	agent := &still{}
	server := httptest.NewServer(everything(agent))
	defer server.Close()
	for body, want := range map[string]string{
		`{"match": {"check": "disk"}, "for_second": 60}`:     `unknown field "for_second"`,
		`{"match": {"check": "disk"}, "for_seconds": "60"}`:  "for_seconds",
		`{"match": {"check": "disk"}, "for_seconds": 60} {}`: "something follows it",
		``:   "no JSON of a silence",
		`[]`: "no JSON of a silence",
	} {
		response, err := http.Post(server.URL+root+"silences", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d %s", body, response.StatusCode, text)
		}
	}
	if len(agent.silences) > 0 {
		t.Errorf("silenced: %v", agent.silences)
	}
	fine, _ := json.Marshal(NewSilence{Match: map[string]config.Strings{"check": {"disk"}}, For: 60})
	response, err := http.Post(server.URL+root+"silences", "application/json", strings.NewReader(string(fine)))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if len(agent.silences) != 1 {
		t.Errorf("what the client sends is not understood: %s", response.Status)
	}
}

// TestEveryCallIsDocumented, and marked where it is public.
func TestEveryCallIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	described := 0
	for _, c := range calls {
		found := false
		for line := range strings.SplitSeq(string(text), "\n") {
			rest, ok := strings.CutPrefix(line, "| `"+c.method+" "+root+c.path)
			if !ok || !strings.ContainsAny(rest[:1], "`?") {
				continue
			}
			found = true
			if _, after, _ := strings.Cut(rest, "`"); strings.HasPrefix(after, " *") != c.public {
				t.Errorf("docs/api.md on %s %s: public is %v", c.method, c.path, c.public)
			}
		}
		if !found {
			t.Errorf("docs/api.md does not know %s %s", c.method, c.path)
		}
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.Contains(line, root) && strings.HasPrefix(line, "| `") {
			described++
		}
	}
	if described != len(calls) {
		t.Errorf("docs/api.md describes %d calls of %d", described, len(calls))
	}
}
