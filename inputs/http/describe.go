package http

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// What descriptions show of texts from outside, in bytes.
const (
	maxShownError   = 400
	maxShownHeader  = 120
	maxShownHeaders = 3 // headers
	maxShownBody    = 512
	maxShownWant    = 200
	maxPasteURL     = 120 // in a command to paste
)

// describe says what was expected and what was seen. The Ok ones are cheap: they are made for every
// target every time.
func (p *Probe) describe(k kind, status pipeline.Status, t *target, a *answer, now time.Time) string {
	switch status {
	case pipeline.Ok:
		if k == certExpires {
			return t.intro + "\n- **certificate expires**: " + a.leaf.NotAfter.UTC().Format(time.RFC3339)
		}
		if a.err != nil { // the head was good, the body broke off
			return t.intro + "\n- **status**: " + statusText(a.status)
		}
		return t.intro + "\n- **status**: " + statusText(a.status) + "\n- **answered in**: " + round(a.total).String()
	case pipeline.Unknown:
		return t.intro + "\n- **not judged**: " + a.unseen(k)
	}
	d := &detail{probe: p, target: t, answer: a}
	d.text.WriteString(t.intro)
	switch k {
	case checkFailed:
		d.failed()
	case certExpires:
		d.certificate(now)
	case statusDiffers:
		d.item("seen", statusText(a.status)+", expected "+p.clean(strings.Join(p.Expect.StatusCode, " or "), maxShownWant))
		d.answered()
	case headerDiffers:
		d.headers()
	case bodyDiffers:
		d.body()
	default:
		d.item("seen", "the whole answer after "+round(a.total).String()+", expected within "+p.Expect.Time.String())
		d.status()
	}
	return d.text.String()
}

// unseen says why something was not judged.
func (a *answer) unseen(k kind) string {
	if k == certExpires {
		if a.err == nil {
			return "the server showed no certificate"
		}
		return "no certificate was seen: " + a.reason
	}
	return "there was no complete answer: " + a.reason
}

// detail writes the description of a bad result.
type detail struct {
	probe  *Probe
	target *target
	answer *answer
	text   strings.Builder
}

func (d *detail) item(name, value string) {
	d.text.WriteString("\n- **" + name + "**: " + value)
}

func (d *detail) failed() {
	a := d.answer
	d.item("expected", "an answer within "+d.probe.Timeout.String())
	d.item("error", a.reason)
	d.redirect()
	if a.status != 0 {
		d.item("status", statusText(a.status))
	}
	d.timings()
	d.look()
}

// status tells what the answer was, where something else than its status was not as expected.
func (d *detail) status() {
	d.item("status", statusText(d.answer.status))
	d.answered()
}

// answered tells what more there was of the answer.
func (d *detail) answered() {
	a := d.answer
	d.redirect()
	if location := a.header.Get("Location"); location != "" && a.status/100 == 3 {
		location, _, _ = strings.Cut(location, "?")
		d.item("it redirects to", d.probe.clean(location, maxShownURL))
	}
	if a.err != nil {
		d.item("error", a.reason)
	}
	d.timings()
	d.look()
	d.excerpt()
}

func (d *detail) redirect() {
	if d.answer.movedTo != "" {
		d.item("redirected to", d.probe.clean(d.answer.movedTo, maxShownURL))
	}
}

func (d *detail) headers() {
	wrong := d.answer.wrong
	for i, one := range wrong {
		if i == maxShownHeaders {
			d.item("headers", fmt.Sprintf("%d more are not as expected", len(wrong)-i))
			break
		}
		d.item("header", printable.Cut(one, maxShownWant))
	}
	d.status()
}

func (d *detail) body() {
	p, a := d.probe, d.answer
	if !p.substringFits(a.body.Bytes()) {
		d.item("seen", fmt.Sprintf("a body without the text %q, which is expected in it", p.clean(p.Expect.Substring, maxShownWant)))
	}
	if !p.regexFits(a.body.Bytes()) {
		d.item("seen", fmt.Sprintf("a body of which nothing matches %q, as is expected", p.clean(p.Expect.Regex, maxShownWant)))
	}
	if a.cut {
		d.item("looked at", fmt.Sprintf("the first %d bytes (max_body_bytes)", int64(p.MaxBodyBytes)))
	}
	d.status()
}

func (d *detail) certificate(now time.Time) {
	p, leaf := d.probe, d.answer.leaf
	days := strconv.FormatFloat(d.answer.daysLeft(now), 'f', -1, 64)
	when := "expires " + leaf.NotAfter.UTC().Format(time.RFC3339) + " (in " + days + " days)"
	if leaf.NotAfter.Before(now) {
		when = "expired " + leaf.NotAfter.UTC().Format(time.RFC3339) + " (" + strings.TrimPrefix(days, "-") + " days ago)"
	}
	d.item("seen", "a certificate that "+when+", expected one valid for "+span(p.Expect.CertThreshold.Std())+" or more")
	d.item("subject", p.clean(leaf.Subject.String(), maxShownHeader))
	d.item("issuer", p.clean(leaf.Issuer.String(), maxShownHeader))
	if len(leaf.DNSNames) > 0 {
		d.item("names", p.clean(strings.Join(leaf.DNSNames, " "), maxShownHeader))
	}
	if d.answer.err != nil {
		d.item("error", d.answer.reason)
	}
	d.lookAtCertificate()
}

// lookAtCertificate names a command that shows the certificate.
func (d *detail) lookAtCertificate() {
	host, port := d.target.url.Hostname(), d.target.url.Port()
	if port == "" {
		port = "443"
	}
	command := "openssl s_client -connect " + net.JoinHostPort(host, port)
	if net.ParseIP(host) == nil {
		command += " -servername " + host
	}
	d.item("look further", "`"+command+" </dev/null | openssl x509 -noout -dates -subject`")
}

// timings tell where the time went.
func (d *detail) timings() {
	a := d.answer
	var parts []string
	for _, one := range []struct {
		name string
		took time.Duration
	}{{"dns", a.phases.dns}, {"connect", a.phases.connect}, {"tls", a.phases.tls}, {"first byte", a.phases.firstByte}, {"total", a.total}} {
		if one.took > 0 {
			parts = append(parts, one.name+" "+round(one.took).String())
		}
	}
	d.item("time", strings.Join(parts, ", "))
}

// look names a command that shows more.
func (d *detail) look() {
	if len(d.target.shown) > maxPasteURL || strings.ContainsAny(d.target.shown, "'`") || d.target.url.User != nil {
		return // too long, or it would not work when pasted
	}
	command := "curl -v -o /dev/null"
	if d.probe.IPVersion != 0 {
		command += " -" + strconv.Itoa(d.probe.IPVersion)
	}
	if d.probe.InsecureSkipVerify {
		command += " -k"
	}
	if d.probe.CA != "" && d.target.url.Scheme == "https" {
		command += " --cacert '" + d.probe.CA + "'"
	}
	switch d.probe.method {
	case http.MethodGet:
	case http.MethodHead:
		command += " -I"
	default:
		command += " -X " + d.probe.method
	}
	line := "`" + command + " '" + d.target.shown + "'`"
	if len(d.probe.Headers) > 0 || d.probe.BearerToken != "" || d.probe.BasicAuthUser != "" {
		line += ", with the headers of this check"
	}
	d.item("look further", line)
}

// excerpt shows the beginning of the body.
func (d *detail) excerpt() {
	if d.answer.body == nil || d.answer.body.Len() == 0 {
		return
	}
	raw := d.answer.body.Bytes()
	text := printable.Lines(d.probe.redactor.Hide(string(raw[:min(len(raw), shownBody)])))
	text = strings.ReplaceAll(printable.Head(text, maxShownBody), "```", "'''") // a fence must not end ours
	note := "body"
	if len(raw) > len(text) {
		note = "body, its beginning"
	}
	d.text.WriteString("\n- **" + note + "**:\n\n```\n" + text + "\n```\n")
}

// clean makes a text from outside fit for one line of a description, without secrets.
func (p *Probe) clean(text string, limit int) string {
	return printable.Line(p.redactor.Hide(text), limit)
}

func statusText(code int) string {
	text := strconv.Itoa(code)
	if name := http.StatusText(code); name != "" {
		text += " " + name
	}
	return text
}

// span prints a duration without parts that are zero: 72h0m0s is 72h.
func span(d time.Duration) string {
	text := d.String()
	if short, cut := strings.CutSuffix(text, "m0s"); cut {
		text = short + "m"
	}
	if short, cut := strings.CutSuffix(text, "h0m"); cut {
		text = short + "h"
	}
	return text
}

// round keeps what a reader needs of a duration.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
