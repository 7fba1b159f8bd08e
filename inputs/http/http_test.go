package http

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// probe makes a probe from TOML.
func probe(t testing.TB, format string, args ...any) *Probe {
	t.Helper()
	p := New()
	pipetest.Options(t, fmt.Sprintf(format, args...), p)
	return p
}

// server starts an HTTP server and returns its URL.
func server(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

// raw starts a TCP server that does to each connection what fn does, then closes it.
func raw(t testing.TB, fn func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				fn(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		served.Wait()
	})
	return listener.Addr().String()
}

// nobody returns an address where nobody listens.
func nobody(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// want finds the result of one alert and judges its status and pieces of its description.
func want(t testing.TB, events []*pipeline.Event, k kind, status pipeline.Status, pieces ...string) *pipeline.Event {
	t.Helper()
	e := pipetest.Find(t, events, checkNames[k], "")
	if e.Status != status {
		t.Errorf("%s: %s, not %s: %s", checkNames[k], e.Status, status, e.Description)
	}
	for _, piece := range pieces {
		if !strings.Contains(e.Description, piece) {
			t.Errorf("%s: the description does not say %q:\n%s", checkNames[k], piece, e.Description)
		}
	}
	return e
}

func attr(e *pipeline.Event, name string) any {
	for _, a := range e.Attrs {
		if a.Key == name {
			return a.Value
		}
	}
	return nil
}

const (
	bad = pipeline.Warning // the default severity
	ok  = pipeline.Ok
)

func TestAGoodAnswerIsOk(t *testing.T) {
	t.Parallel()
	url := server(t, says("all is well"))
	events := pipetest.Gather(t, probe(t, "targets = ['%s/health']", url))
	if len(events) != 1 {
		t.Fatalf("%d events: only the first alert needs no configuration", len(events))
	}
	e := want(t, events, checkFailed, ok, "[MD]", url+"/health", "200 OK", "answered in")
	for _, name := range []string{"connect_seconds", "first_byte_seconds", "total_seconds"} {
		if seconds, isFloat := attr(e, name).(float64); !isFloat || seconds <= 0 {
			t.Errorf("%s = %v", name, attr(e, name))
		}
	}
	if attr(e, "status_code") != int64(200) {
		t.Errorf("status_code = %v", attr(e, "status_code"))
	}
	for _, name := range []string{"dns_seconds", "tls_seconds", "cert_expiry_days"} {
		if attr(e, name) != nil {
			t.Errorf("%s is there, but did not happen", name)
		}
	}
}

func TestLabelsAndAlertKeyAreTheOriginals(t *testing.T) {
	t.Parallel()
	p := probe(t, "targets = ['http://127.0.0.1:8888/request']")
	own := pipeline.Merge(p.Keys()[0], pipeline.LabelsOf(map[string]string{
		"from_agent": "catpaw", "from_hostip": "10.211.55.3", "from_hostname": "ubuntu-linux-22-04-desktop", "from_plugin": "http",
	}))
	var text strings.Builder
	for _, label := range own {
		text.WriteString(label.Key + ":" + label.Value + ":")
	}
	sum := md5.Sum([]byte(text.String()))
	if key := hex.EncodeToString(sum[:]); key != "4f1b21a435253bf868a1249d3ba7715f" {
		t.Errorf("alert key %s of %v", key, own)
	}
}

func TestEachConfiguredExpectationIsAnAlert(t *testing.T) {
	t.Parallel()
	p := probe(t, `
targets = ["https://a.example/", "http://b.example/"]
method = "post"
[expect]
response_status_code = ["20*"]
response_substring = "x"
response_time = "1s"
cert_expire_threshold = "72h"
header = { Server = "*" }
`)
	var got []string
	for _, own := range p.Keys() {
		got = append(got, own.Get("target")+" "+own.Get("method")+" "+own.Get("check"))
	}
	var all []string
	for _, target := range p.Targets {
		for k := range kinds {
			if k != certExpires || strings.HasPrefix(target, "https") {
				all = append(all, target+" post "+checkNames[k])
			}
		}
	}
	if !slices.Equal(got, all) {
		t.Errorf("keys:\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(all, "\n"))
	}
}

func TestWhatAFailedConnectionDidNotShowIsUnknown(t *testing.T) {
	t.Parallel()
	events := pipetest.Gather(t, probe(t, `
targets = ["https://%s/"]
[expect]
response_status_code = ["200"]
response_regex = "x"
response_time = "1s"
cert_expire_threshold = "72h"
header = { Server = "*" }
`, nobody(t)))
	e := want(t, events, checkFailed, bad, "connection refused", "expected", "curl -v")
	if len(e.Attrs) != 0 {
		t.Errorf("attrs %v of what did not happen", e.Attrs)
	}
	for k := checkFailed + 1; k < kinds; k++ {
		want(t, events, k, pipeline.Unknown, "not judged", "connection refused")
	}
}

func TestStatusCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patterns string
		status   int
		want     pipeline.Status
	}{
		{`["20*", "30*"]`, 204, ok},
		{`["200"]`, 200, ok},
		{`["200"]`, 201, bad},
		{`["20*"]`, 503, bad},
		{`["[45]??"]`, 503, ok},
		{`["*"]`, 599, ok},
	} {
		t.Run(fmt.Sprint(c.patterns, c.status), func(t *testing.T) {
			t.Parallel()
			url := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) })
			events := pipetest.Gather(t, probe(t, "targets = ['%s']\nexpect.response_status_code = %s", url, c.patterns))
			want(t, events, statusDiffers, c.want)
			want(t, events, checkFailed, ok)
		})
	}
}

func TestAWrongStatusShowsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	url := server(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the database is gone "+strings.Repeat("é", 1000)+"end", http.StatusServiceUnavailable)
	})
	events := pipetest.Gather(t, probe(t, "targets = ['%s']\nexpect.response_status_code = ['20*']", url))
	e := want(t, events, statusDiffers, bad, "503 Service Unavailable", "20*", "the database is gone", "its beginning")
	_, body, _ := strings.Cut(e.Description, "```\n")
	body, _, _ = strings.Cut(body, "\n```")
	if len(body) > 512 || len(body) < 500 || !utf8.ValidString(body) {
		t.Errorf("%d bytes of the body are shown", len(body))
	}
}

// The one line that status, the page and a log show of an alert says what was seen, not only what was expected.
func TestTheOneLineSaysWhatWasSeen(t *testing.T) {
	t.Parallel()
	url := server(t, http.NotFound)
	for k, c := range map[kind]struct{ expect, want string }{
		statusDiffers: {"response_status_code = ['200']", "seen: 404 Not Found, expected 200"},
		headerDiffers: {"header = { Content-Type = 'a/b' }", `header: Content-Type: expected "a/b", seen "text/plain; charset=utf-8"`},
		bodyDiffers:   {"response_substring = 'well'", `seen: a body without the text "well", which is expected in it`},
		tooSlow:       {"response_time = '1ns'", "seen: the whole answer after "},
	} {
		e := want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\n[expect]\n%s", url, c.expect)), k, bad)
		if got := e.Detail(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, expect, body string
		want               pipeline.Status
		piece              string
	}{
		{"the text is there", "response_substring = 'well'", "all is well", ok, ""},
		{"the text is not there", "response_substring = 'well'", "all is lost", bad, `the text "well"`},
		{"an empty body lacks the text", "response_substring = 'well'", "", bad, `the text "well"`},
		{"the expression matches", "response_regex = 'w[a-e]l+$'", "all is well", ok, ""},
		{"the expression does not match", "response_regex = '^well'", "all is well", bad, `matches "^well"`},
		{"of both, both must be there", "response_regex = 'w'\nresponse_substring = 'x'", "all is well", bad, `the text "x"`},
		{"bytes that are not UTF-8 are found", "response_substring = 'well'", "\xff\xfe well", ok, ""},
		{"bytes that are not UTF-8 are shown as such", "response_substring = 'x'", "\xff well\x00", bad, "\uFFFD well·"},
		{"a fence in the body stays inside", "response_substring = 'x'", "```\nrest", bad, "'''\nrest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events := pipetest.Gather(t, probe(t, "targets = ['%s']\n[expect]\n%s", server(t, says(c.body)), c.expect))
			want(t, events, bodyDiffers, c.want, c.piece)
			want(t, events, checkFailed, ok)
		})
	}
}

func TestAnOkNeverShowsTheBody(t *testing.T) {
	t.Parallel()
	events := pipetest.Gather(t, probe(t, "targets = ['%s']\nexpect.response_substring = 'well'", server(t, says("all is well"))))
	if e := want(t, events, bodyDiffers, ok); strings.Contains(e.Description, "all is") {
		t.Errorf("description: %s", e.Description)
	}
}

func TestAnEndlessBodyIsReadUpToTheBound(t *testing.T) {
	t.Parallel()
	url := server(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 8<<10))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	for _, expect := range []string{"", "response_substring = 'y'", "response_status_code = ['404']"} {
		p := probe(t, "targets = ['%s']\nmax_body_bytes = '64KiB'\ntimeout = 30\n[expect]\n%s", url, expect)
		events := pipetest.Gather(t, p)
		want(t, events, checkFailed, ok)
		if strings.Contains(expect, "substring") {
			want(t, events, bodyDiffers, bad, "the first 65536 bytes")
		}
	}
}

func TestTextBeyondTheBoundIsNotFound(t *testing.T) {
	t.Parallel()
	url := server(t, says("0123456789well"))
	for bound, status := range map[int]pipeline.Status{14: ok, 13: bad} {
		events := pipetest.Gather(t, probe(t, "targets = ['%s']\nmax_body_bytes = %d\nexpect.response_substring = 'well'", url, bound))
		want(t, events, bodyDiffers, status)
	}
}

func TestAnAnswerThatBreaksOffIsAFailedCheck(t *testing.T) {
	t.Parallel()
	address := raw(t, func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nwell")
	})
	events := pipetest.Gather(t, probe(t, `
targets = ["http://%s/"]
[expect]
response_status_code = ["200"]
response_substring = "well"
response_time = "4s"
`, address))
	want(t, events, checkFailed, bad, "before the answer was complete", "4 bytes of the body", "200 OK")
	want(t, events, statusDiffers, ok, "200 OK")
	want(t, events, bodyDiffers, pipeline.Unknown)
	want(t, events, tooSlow, pipeline.Unknown)
}

// readRequest reads until the end of a request's head.
func readRequest(conn net.Conn) {
	var seen []byte
	buffer := make([]byte, 4<<10)
	for !strings.Contains(string(seen), "\r\n\r\n") {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		seen = append(seen, buffer[:n]...)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, reply, piece string }{
		{"nothing", "", "closed the connection without an answer"},
		{"another protocol", "220 mail.example ESMTP\r\n", "malformed HTTP"},
		{"half a head", "HTTP/1.1 200 OK\r\nServer: x", "before the answer was complete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := raw(t, func(conn net.Conn) {
				readRequest(conn)
				io.WriteString(conn, c.reply)
			})
			want(t, pipetest.Gather(t, probe(t, "targets = ['http://%s']", address)), checkFailed, bad, c.piece)
		})
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	silent := func(conn net.Conn) { io.Copy(io.Discard, conn) }
	for _, c := range []struct {
		name, scheme string
		server       func(conn net.Conn)
		piece        string
	}{
		{"no answer", "http", silent, "timed out after 500ms while waiting for the answer"},
		{"no handshake", "https", silent, "timed out after 500ms while in the TLS handshake"},
		{"no end of the body", "http", func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nwell")
			silent(conn)
		}, "timed out after 500ms while reading the answer (4 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := raw(t, c.server)
			start := time.Now()
			want(t, pipetest.Gather(t, probe(t, "targets = ['%s://%s']\ntimeout = '500ms'", c.scheme, address)), checkFailed, bad, c.piece)
			if took := time.Since(start); took < 500*time.Millisecond {
				t.Errorf("ended after %s", took)
			}
		})
	}
}

func TestASwitchOfProtocolsIsACompleteAnswer(t *testing.T) {
	t.Parallel()
	address := raw(t, func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		io.Copy(io.Discard, conn) // speaks only when spoken to
	})
	events := pipetest.Gather(t, probe(t, "targets = ['http://%s']\ntimeout = 60\nheaders = ['Connection', 'Upgrade', 'Upgrade', 'websocket']\n[expect]\nresponse_status_code = ['101']\nresponse_substring = 'x'", address))
	want(t, events, checkFailed, ok)
	want(t, events, statusDiffers, ok, "101 Switching Protocols")
	want(t, events, bodyDiffers, bad)
}

func TestResponseTime(t *testing.T) {
	t.Parallel()
	url := server(t, says("all is well"))
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\ntimeout = 60\nexpect.response_time = 59", url)), tooSlow, ok)
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\nexpect.response_time = '1ns'", url)), tooSlow, bad, "within 1ns", "first byte", "total")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	url := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Add("X-Role", "replica")
		w.Header().Add("X-Role", "primary")
	})
	for _, c := range []struct {
		name, expect string
		want         pipeline.Status
		piece        string
	}{
		{"the value matches", `{ Content-Type = "text/html*" }`, ok, ""},
		{"the name's case does not matter", `{ content-type = "text/html*" }`, ok, ""},
		{"the value differs", `{ Content-Type = "application/json" }`, bad, `Content-Type: expected "application/json", seen "text/html; charset=utf-8"`},
		{"the header is missing", `{ X-Cache = "*" }`, bad, `X-Cache: expected "*", but there is none`},
		{"one of several values is enough", `{ X-Role = "primary" }`, ok, ""},
		{"none of several values fits", `{ X-Role = "third" }`, bad, `seen "replica" and 1 more`},
		{"a long list is cut", `{ A = "1", B = "1", C = "1", D = "1", E = "1", F = "1", G = "1" }`, bad, "4 more are not as expected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\n[expect]\nheader = %s", url, c.expect)), headerDiffers, c.want, c.piece)
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/dead":
			http.Redirect(w, r, "/gone?ticket=s3cret", http.StatusFound)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		default:
			io.WriteString(w, "there")
		}
	})
	follow := pipetest.Gather(t, probe(t, "targets = ['%s/dead']\nexpect.response_status_code = ['200']", url))
	e := want(t, follow, statusDiffers, bad, "410 Gone", "redirected to**: "+url+"/gone")
	if strings.Contains(e.Description, "ticket") {
		t.Errorf("the query of a redirect is shown: %s", e.Description)
	}
	stay := pipetest.Gather(t, probe(t, "targets = ['%s/dead']\nfollow_redirects = false\nexpect.response_status_code = ['302']", url))
	want(t, stay, statusDiffers, ok, "302 Found")
	stay = pipetest.Gather(t, probe(t, "targets = ['%s/dead']\nfollow_redirects = false\nexpect.response_status_code = ['200']", url))
	want(t, stay, statusDiffers, bad, "302 Found", "it redirects to**: /gone")
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s/loop']", url)), checkFailed, bad, "stopped after 10 redirects", "/loop")
}

func TestTheLongestDescriptionIsNotCutInTheMiddle(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3000)
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("A", long)
		w.Header().Set("B", long)
		w.Header().Set("C", long)
		if r.URL.Path == "/end" {
			w.Header().Set("Location", "/"+long)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		http.Redirect(w, r, "/end?"+long, http.StatusFound)
	})
	text := fmt.Sprintf("targets = ['%s/%s']\n[expect]\nresponse_status_code = ['%s', '200']\nresponse_substring = '%s'\nheader = { A = '%s', B = '*y', C = '*y', D = '*y' }",
		url, long, "2"+strings.Repeat("*", 3000), long, long)
	for _, e := range pipetest.Gather(t, probe(t, "%s", text)) {
		if len(e.Description) > 1900 || strings.Contains(e.Description, strings.Repeat("x", 600)) {
			t.Errorf("%d bytes: %s", len(e.Description), e.Description)
		}
	}
}

// echo answers with the request's head and body.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s host=%s\n", r.Method, r.URL.Path, r.Host)
	r.Header.Write(w)
	io.Copy(w, r.Body)
}

func TestWhatTheRequestCarries(t *testing.T) {
	t.Parallel()
	url := server(t, echo)
	for _, c := range []struct{ name, options, want string }{
		{"GET by default", "", "GET / "},
		{"a method", "method = 'HEAD'\nexpect.response_status_code = ['200']", ""},
		{"a method in lower case is sent in upper case", "method = 'put'", "PUT / "},
		{"a payload", "method = 'POST'\npayload = 'a=1'", "a=1"},
		{"the agent's name", "", "User-Agent: catpaw"},
		{"headers", "headers = ['X-One', 'first', 'x-two', 'second']", "X-One: first\r\nX-Two: second"},
		{"an own user agent", "headers = ['user-agent', 'curl']", "User-Agent: curl"},
		{"a Host header sets the host", "headers = ['host', 'www.example']", "host=www.example"},
		{"basic authentication", "basic_auth_user = 'me'\nbasic_auth_pass = 'pw'", "Authorization: Basic bWU6cHc="},
		{"a bearer token", "bearer_token = 'abc'", "Authorization: Bearer abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := probe(t, "targets = ['%s']\n%s", url, c.options)
			if c.want != "" {
				p = probe(t, "targets = ['%s']\n%s\nexpect.response_substring = %q", url, c.options, c.want)
				want(t, pipetest.Gather(t, p), bodyDiffers, ok)
			}
			want(t, pipetest.Gather(t, p), checkFailed, ok)
		})
	}
}

func TestAPayloadIsSentEveryTimeAndAfterARedirect(t *testing.T) {
	t.Parallel()
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
			return
		}
		echo(w, r)
	})
	p := probe(t, "targets = ['%s/']\nmethod = 'POST'\npayload = 'ping'\nexpect.response_regex = 'POST /there (?s).*ping$'", url)
	for range 2 {
		want(t, pipetest.Gather(t, p), bodyDiffers, ok)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	address := raw(t, func(conn net.Conn) {
		buffer := make([]byte, 4<<10)
		n, _ := conn.Read(buffer)
		_, head, _ := strings.Cut(string(buffer[:n]), "\r\n")
		fmt.Fprintf(conn, "HTTP/1.1 500 No\r\nX-Was: %s\r\nConnection: close\r\n\r\n%s", strings.ReplaceAll(head, "\r\n", " "), head)
	})
	refused := nobody(t)
	for name, c := range map[string]struct{ target, options, secrets string }{
		"a bearer token":            {"http://" + address, "bearer_token = 'tok-4711'", "tok-4711"},
		"basic authentication":      {"http://" + address, "basic_auth_user = 'me'\nbasic_auth_pass = 'pass-4711'", "pass-4711 bWU6cGFzcy00NzEx"},
		"a login in the URL":        {"http://me:pass-4711@" + address, "", "pass-4711 bWU6cGFzcy00NzEx"},
		"a login, nobody listening": {"http://me:pass-4711@" + refused, "", "pass-4711"},
		"a header that is a secret": {"http://" + address, "headers = ['X-Api-Key', 'key-4711', 'Authorization', 'Token abc-4711']", "key-4711 abc-4711"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := pipetest.Gather(t, probe(t, "targets = ['%s']\n%s\n[expect]\nresponse_status_code = ['200']\nresponse_substring = 'never'\nheader = { X-Was = 'x' }", c.target, c.options))
			for _, e := range events {
				for _, secret := range strings.Fields(c.secrets) {
					if strings.Contains(e.Description, secret) {
						t.Errorf("%q is shown:\n%s", secret, e.Description)
					}
				}
				if e.Labels.Get("target") != c.target {
					t.Errorf("the label is %q, not the target as written", e.Labels.Get("target"))
				}
			}
		})
	}
}

func TestEveryCheckMakesANewConnection(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(says("well"))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	p := probe(t, "targets = ['%s']", s.URL)
	for range 3 {
		pipetest.Gather(t, p)
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("%d connections for 3 checks", n)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := server(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "asked for %s as %s", r.RequestURI, r.Header.Get("Proxy-Authorization"))
	})
	login := strings.Replace(proxy, "//", "//me:pass-4711@", 1)
	events := pipetest.Gather(t, probe(t, "targets = ['http://far.example/x']\nhttp_proxy = '%s'\nexpect.response_substring = 'asked for http://far.example/x as Basic bWU6cGFzcy00NzEx'", login))
	want(t, events, bodyDiffers, ok)

	bare := strings.TrimPrefix(proxy, "http://")
	events = pipetest.Gather(t, probe(t, "targets = ['http://far.example/x']\nhttp_proxy = '%s'\nexpect.response_substring = 'asked for http://far.example/x'", bare))
	want(t, events, bodyDiffers, ok)

	gone := nobody(t)
	e := want(t, pipetest.Gather(t, probe(t, "targets = ['http://far.example/x']\nhttp_proxy = 'http://me:pass-4711@%s'", gone)), checkFailed, bad, "connection refused", "through the proxy "+gone)
	if strings.Contains(e.Description, "4711") {
		t.Errorf("the proxy's password is shown: %s", e.Description)
	}
}

func TestInterface(t *testing.T) {
	t.Parallel()
	url := server(t, says("well"))
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range all {
		if device.Flags&net.FlagLoopback != 0 {
			want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\ninterface = '%s'", url, device.Name)), checkFailed, ok)
		}
	}
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\ninterface = 'nosuch0'", url)), checkFailed, bad, `there is no interface "nosuch0"`)
}

func TestIPVersion(t *testing.T) {
	t.Parallel()
	four := server(t, says("four"))
	port := four[strings.LastIndexByte(four, ':'):]
	want(t, pipetest.Gather(t, probe(t, "targets = ['http://localhost%s']\nip_version = 4", port)), checkFailed, ok)
	want(t, pipetest.Gather(t, probe(t, "targets = ['http://localhost%s']\nip_version = 6", port)), checkFailed, bad)

	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 on this host: %v", err)
	}
	s := httptest.NewUnstartedServer(says("six"))
	s.Listener.Close()
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\nip_version = 6", s.URL)), checkFailed, ok)
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s']", s.URL)), checkFailed, ok)
}

func TestConcurrencyIsTheNumberOfTargetsAtOnce(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	together := make(chan struct{})
	url := server(t, func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		if n == 3 {
			close(together)
		}
		<-together
	})
	var targets []string
	for i := range 6 {
		targets = append(targets, fmt.Sprintf("'%s/%d'", url, i))
	}
	p := probe(t, "targets = [%s]\nconcurrency = 3\ntimeout = 30", strings.Join(targets, ","))
	for _, e := range pipetest.Gather(t, p) {
		if e.Status != ok {
			t.Errorf("%s", e.Description)
		}
	}
	if most.Load() > 4 { // the server may see the next one before the last has returned
		t.Errorf("%d targets at once", most.Load())
	}
	if p.MaxGather() != time.Minute {
		t.Errorf("two rounds of 30s take %s at most", p.MaxGather())
	}
}

func TestAnEndedRunSaysNothingAboutTargets(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	address := raw(t, func(conn net.Conn) {
		readRequest(conn)
		close(asked)
		io.Copy(io.Discard, conn)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	p := probe(t, "targets = ['http://%s']\ntimeout = 60", address)
	events, end, err := pipeline.Look(ctx, pipetest.Check(p))
	if len(events) != 0 || err != nil || !end.Incomplete[""] {
		t.Errorf("events %v, end %v, error %v", events, end, err)
	}
}

func TestAnInstanceWithoutTargetsIsIdle(t *testing.T) {
	t.Parallel()
	if events := pipetest.Gather(t, probe(t, "")); len(events) != 0 {
		t.Errorf("%d events", len(events))
	}
}
