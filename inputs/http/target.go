package http

import (
	"net/http"
	"net/url"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// kind is one of the alerts that a target can raise.
type kind int

const (
	checkFailed kind = iota
	certExpires
	statusDiffers
	bodyDiffers
	tooSlow
	headerDiffers
	kinds
)

// checkNames are the check labels. They are part of the alert keys and must never change.
var checkNames = [kinds]string{
	checkFailed:   "HTTP check failed",
	certExpires:   "TLS cert will expire soon",
	statusDiffers: "HTTP response status code not match",
	bodyDiffers:   "HTTP response body not match",
	tooSlow:       "HTTP response too slow",
	headerDiffers: "HTTP response header not match",
}

// maxShownURL is how much of a URL a description shows, in bytes.
const maxShownURL = 200

// target is one URL with all that does not change between its requests.
type target struct {
	url      *url.URL
	template *http.Request // never sent itself
	shown    string        // the URL without its password
	intro    string        // the first lines of every description
	labels   [kinds]pipeline.Labels
}

// newTarget prepares a target whose URL was judged.
func (p *Probe) newTarget(written string, u *url.URL) target {
	shown := u.Redacted()
	if u.User == nil {
		shown = written
	}
	shown = printable.Line(shown, maxShownURL)
	t := target{url: u, shown: shown, intro: "[MD]\n- **target**: " + shown + "\n- **method**: " + p.method}
	method := p.Method
	if method == "" {
		method = http.MethodGet
	}
	for k := range kinds {
		if p.judges(k, u) {
			t.labels[k] = pipeline.L("check", checkNames[k], "method", method, "target", written)
		}
	}
	t.template = p.newRequest(u)
	return t
}

// judges reports whether a target raises that alert: only the first one needs no configuration.
func (p *Probe) judges(k kind, u *url.URL) bool {
	switch k {
	case certExpires:
		return u.Scheme == "https" && p.Expect.CertThreshold > 0
	case statusDiffers:
		return len(p.Expect.StatusCode) > 0
	case bodyDiffers:
		return p.Expect.Substring != "" || p.Expect.Regex != ""
	case tooSlow:
		return p.Expect.Time > 0
	case headerDiffers:
		return len(p.Expect.Header) > 0
	}
	return true
}
