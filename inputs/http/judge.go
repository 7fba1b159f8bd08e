package http

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"catpaw/pipeline"
)

// judge reports every result of one target.
func (p *Probe) judge(r *pipeline.Report, t *target, a *answer) {
	now := time.Now()
	attrs := a.attrs(now)
	for k := range kinds {
		if t.labels[k] == nil {
			continue
		}
		status := p.verdict(k, a, now)
		r.Add(pipeline.Event{
			Status:      status,
			Labels:      t.labels[k],
			Description: p.describe(k, status, t, a, now),
			Attrs:       attrs[:len(attrs):len(attrs)],
		})
	}
}

// verdict judges one alert. What was not seen is Unknown.
func (p *Probe) verdict(k kind, a *answer, now time.Time) pipeline.Status {
	switch k {
	case checkFailed:
		return okIf(a.err == nil)
	case certExpires:
		if a.leaf == nil {
			return pipeline.Unknown
		}
		return okIf(a.leaf.NotAfter.Sub(now) >= p.Expect.CertThreshold.Std())
	case statusDiffers:
		if a.status == 0 {
			return pipeline.Unknown
		}
		return okIf(a.statusOK)
	case headerDiffers:
		if a.status == 0 {
			return pipeline.Unknown
		}
		return okIf(len(a.wrong) == 0)
	}
	if a.err != nil {
		return pipeline.Unknown
	}
	if k == bodyDiffers {
		return okIf(p.bodyFits(a.body))
	}
	return okIf(a.total <= p.Expect.Time.Std())
}

func okIf(good bool) pipeline.Status {
	if good {
		return pipeline.Ok
	}
	return pipeline.Bad
}

func (p *Probe) statusFits(code int) bool {
	return p.status.Len() == 0 || p.status.Match(strconv.Itoa(code))
}

// bodyFits reports whether all that is expected of the body is there.
func (p *Probe) bodyFits(body *bytes.Buffer) bool {
	return p.substringFits(body.Bytes()) && p.regexFits(body.Bytes())
}

func (p *Probe) substringFits(body []byte) bool {
	return p.Expect.Substring == "" || bytes.Contains(body, []byte(p.Expect.Substring))
}

func (p *Probe) regexFits(body []byte) bool { return p.body == nil || p.body.Match(body) }

// wrongHeaders describes the headers that are not as expected, in the order of their names. Of several
// values of one name, one must fit.
func (p *Probe) wrongHeaders(header http.Header) (wrong []string) {
	for _, expected := range p.headers {
		values := header.Values(expected.name)
		if !fitsAny(expected, values) {
			wrong = append(wrong, p.wrongHeader(expected, values))
		}
	}
	return wrong
}

func fitsAny(expected expectedHeader, values []string) bool {
	for _, value := range values {
		if expected.glob.Match(value) {
			return true
		}
	}
	return false
}

func (p *Probe) wrongHeader(expected expectedHeader, values []string) string {
	if len(values) == 0 {
		return fmt.Sprintf("%s: expected %q, but there is none", expected.name, expected.glob)
	}
	text := fmt.Sprintf("%s: expected %q, seen %q", expected.name, expected.glob, p.clean(values[0], maxShownHeader))
	if more := len(values) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// attrs are the phases that happened and what else was measured.
func (a *answer) attrs(now time.Time) []pipeline.Attr {
	attrs := make([]pipeline.Attr, 0, 7)
	seconds := func(name string, d time.Duration) {
		if d > 0 {
			attrs = append(attrs, pipeline.Attr{Key: name, Value: d.Seconds()})
		}
	}
	seconds("dns_seconds", a.phases.dns)
	seconds("connect_seconds", a.phases.connect)
	seconds("tls_seconds", a.phases.tls)
	seconds("first_byte_seconds", a.phases.firstByte)
	if a.err == nil {
		seconds("total_seconds", a.total)
	}
	if a.status != 0 {
		attrs = append(attrs, pipeline.Attr{Key: "status_code", Value: int64(a.status)})
	}
	if a.leaf != nil {
		attrs = append(attrs, pipeline.Attr{Key: "cert_expiry_days", Value: a.daysLeft(now)})
	}
	return attrs
}

// daysLeft is how long the certificate is still valid, to the hundredth of a day; negative = expired.
func (a *answer) daysLeft(now time.Time) float64 {
	return math.Round(a.leaf.NotAfter.Sub(now).Hours()/24*100) / 100
}
