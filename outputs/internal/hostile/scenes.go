package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// refused: nobody listens yet, on a port that is ours.
func (s Suite) refused(t *testing.T) {
	address, begin := reserve(t)
	url := fmt.Sprintf("http://user:%s@%s/hook/%s?integration_key=%s", password, address, token, key)
	output := s.open(t, url, "")
	s.expect(t, output, insult{want: again, says: "refused"})
	listen(t, begin())
	s.expect(t, output, insult{want: delivered})
}

// redirects must not be followed: the POST would arrive as an empty GET, or somewhere else.
func (s Suite) redirects(t *testing.T) {
	for _, status := range []string{"301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"} {
		elsewhere := listen(t, nil)
		server := listen(t, nil)
		server.behave(answer(status, "Location: "+elsewhere.url("http")+"\r\n"))
		output := s.open(t, server.url("http"), "")
		s.expect(t, output, insult{want: again, says: status[:3] + " "})
		s.expect(t, output, insult{want: again, says: "to http://" + elsewhere.Addr().String() + "/hook/"})
		if n := elsewhere.count(); n > 0 {
			t.Errorf("%s was followed", status)
		}
		server.behave(answer(status, "Location: http://[::1\r\n"))
		s.expect(t, output, insult{want: again, says: "Location"})
		server.behave(well)
		s.expect(t, output, insult{want: delivered})
	}
}

func (s Suite) badCertificate(t *testing.T) {
	good, bad := newAuthority(t), newAuthority(t)
	now := time.Now()
	server := listen(t, nil)
	output := s.open(t, server.url("https"), "tls_ca = "+strconv.Quote(good.file(t)))
	for says, cfg := range map[string]certificate{
		"unknown authority": {by: bad, until: now.Add(time.Hour), address: "127.0.0.1"},
		"expired":           {by: good, until: now.Add(-time.Minute), address: "127.0.0.1"},
		"127.0.0.1":         {by: good, until: now.Add(time.Hour), address: "127.0.0.2"},
	} {
		server.speak(cfg.config(t))
		s.expect(t, output, insult{want: again, says: "certificate"})
		s.expect(t, output, insult{want: again, says: says})
	}
	server.speak(certificate{by: good, until: now.Add(time.Hour), address: "127.0.0.1"}.config(t))
	s.expect(t, output, insult{want: delivered})
}

func (s Suite) plainForTLS(t *testing.T) {
	authority := newAuthority(t)
	server := listen(t, nil)
	server.behave(func(c *conversation) { // as any HTTP server answers a ClientHello
		if c.request() == nil {
			c.say("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		}
	})
	output := s.open(t, server.url("https"), "tls_ca = "+strconv.Quote(authority.file(t)))
	s.expect(t, output, insult{want: again, says: "http://"})
	server.behave(well)
	server.speak(certificate{by: authority, until: time.Now().Add(time.Hour), address: "127.0.0.1"}.config(t))
	s.expect(t, output, insult{want: delivered})
}

// tlsForPlain: the answer is a 400, and yet nothing is wrong with the event.
func (s Suite) tlsForPlain(t *testing.T) {
	server := listen(t, nil)
	output := s.open(t, server.url("http"), "")
	for _, text := range []string{
		"Client sent an HTTP request to an HTTPS server.\n",
		"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>",
	} {
		server.behave(once(fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s", len(text), text)))
		s.expect(t, output, insult{want: again, says: "HTTPS"})
	}
	server.behave(well)
	s.expect(t, output, insult{want: delivered})
}

// file writes the authority's certificate for tls_ca.
func (a *authority) file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, a.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
