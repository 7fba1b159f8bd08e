package redact

import (
	"net/url"
	"testing"
)

func TestLoginsOfURLsAreHidden(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http://root:geheim@example.com/a":              "http://root:***@example.com/a",
		"target=https://a:p@ss@h:1/x check=y":           "target=https://a:***@h:1/x check=y",
		"http://:pw@h and http://u:pw2@i/":              "http://:***@h and http://u:***@i/",
		"http://u@h/ needs no hiding":                   "http://u@h/ needs no hiding",
		"mail root@example.com about http://h:80/a@b:c": "mail root@example.com about http://h:80/a@b:c",
		"": "",
	} {
		if got := Logins(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestEverySpellingOfASecretIsHidden(t *testing.T) {
	t.Parallel()
	var r Redactor
	if got := r.Hide("nothing to hide"); got != "nothing to hide" {
		t.Fatal(got)
	}
	u, err := url.Parse("http://me:p%40ss%20word@h/bot/0123456789abcdef%2F?key=a%26bcd")
	if err != nil {
		t.Fatal(err)
	}
	r.AddURL(u)
	r.Add("tok") // too short to be one
	for _, text := range []string{
		"p@ss word", "p%40ss%20word", "p%40ss+word", BasicAuth("me", "p@ss word"),
		"0123456789abcdef%2F", "0123456789abcdef/", "key=a%26bcd", "a&bcd", "a%26bcd",
	} {
		if got := r.Hide("<" + text + ">"); got != "<***>" {
			t.Errorf("%q shows as %q", text, got)
		}
	}
	if got := r.Hide("bot tok me"); got != "bot tok me" {
		t.Error(got)
	}
}

func TestTokensInPathsAreHidden(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/services/T000SECRET/B000SECRET/xyzSECRET": "/services/***/***/***",
		"/hook/FEIHOOKSECRET":                       "/hook/***",
		"/api/v2/alerts":                            "/api/v2/alerts",
		"/abcdefghijklmnop":                         "/***",
	} {
		var r Redactor
		r.AddURL(&url.URL{Scheme: "https", Host: "h", Path: path})
		if got := r.Hide(path); got != want {
			t.Errorf("%s became %s, want %s", path, got, want)
		}
	}
}
