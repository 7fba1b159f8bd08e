package net

import (
	"crypto/x509"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

const (
	shownBytes = 512 // of an answer
	shownText  = 150 // of what is expected
)

// checked is the first alert of a target: is it there, and does it answer as expected?
func (p *Probe) checked(i int, s *sight, started time.Time) pipeline.Event {
	event := pipeline.Event{Time: started.Unix(), Status: pipeline.Ok, Labels: slices.Clone(p.own[i].check), Attrs: s.attrs}
	switch {
	case s.problem == "":
		event.Description = "[MD]\n- **target**: " + p.Targets[i] + "\n- **answered in**: " + milliseconds(s.took)
	case isShortage(s.err):
		event.Status = pipeline.Unknown
		event.Description = "this host could not look: " + s.problem
	default:
		event.Status = pipeline.Bad
		event.Description = p.describe(p.Targets[i], s)
	}
	return event
}

// judgeTime is the second alert of a target: it answers, but slowly.
func (p *Probe) judgeTime(i int, s *sight, started time.Time) pipeline.Event {
	event := pipeline.Event{Time: started.Unix(), Status: pipeline.Ok, Labels: slices.Clone(p.own[i].slow)}
	if s.problem != "" {
		event.Status = pipeline.Unknown
		event.Description = "nobody knows how fast it is: " + s.problem
		return event
	}
	if s.took > p.ResponseTime.Std() {
		event.Status = pipeline.Bad
	}
	event.Description = "[MD]\n- **target**: " + p.Targets[i] +
		"\n- **expected**: an answer within " + p.ResponseTime.String() +
		"\n- **seen**: " + milliseconds(s.took) + phases(s.attrs)
	event.Attrs = []pipeline.Attr{{Key: "response_seconds", Value: s.took.Seconds()}}
	return event
}

// phases says where the time went.
func phases(attrs []pipeline.Attr) string {
	text := ""
	for _, phase := range []struct{ attr, name string }{{"connect_seconds", "connect"}, {"tls_seconds", "TLS"}} {
		for _, a := range attrs {
			if seconds, ok := a.Value.(float64); ok && a.Key == phase.attr {
				text += ", " + phase.name + " " + milliseconds(time.Duration(seconds*float64(time.Second)))
			}
		}
	}
	return text
}

func (p *Probe) describe(target string, s *sight) string {
	var text markdown.Builder
	text.Item("target", "%s", target).Item("protocol", "%s", p.Protocol).Item("seen", "%s", s.problem)
	if p.Expect != "" {
		text.Item("expected", "text %s", quote(p.expect, shownText))
	}
	if p.ExpectRegex != "" {
		text.Item("expected", "match of /%s/", printable.Cut(p.ExpectRegex, shownText))
	}
	if len(s.answer) > 0 {
		text.Item("answer", "%s, %d bytes", quote(s.answer, shownBytes), len(s.answer))
	}
	if s.cert != nil {
		text.Item("certificate", "%s", about(s.cert))
	}
	text.Item("took", "%s", milliseconds(s.took))
	if hint := p.hint(target, s.err); hint != "" {
		text.Item("look further", "%s", hint)
	}
	return text.String()
}

func about(cert *x509.Certificate) string {
	const date = "2006-01-02 15:04 MST"
	return printable.Cut(cert.Subject.String(), shownText) + ", issued by " + printable.Cut(cert.Issuer.String(), shownText) +
		", valid from " + cert.NotBefore.UTC().Format(date) + " to " + cert.NotAfter.UTC().Format(date)
}

// quote prints at most max bytes of data, fewer where most of them need escapes: never more than twice max
// are printed. "…" says that it goes on.
func quote(data []byte, max int) string {
	quoted := []byte{'"'}
	for left := data; len(left) > 0; {
		_, size := utf8.DecodeRune(left)
		one := strconv.Quote(string(left[:size]))
		if len(data)-len(left)+size > max || len(quoted)+len(one) > 2*max {
			return string(quoted) + `"…`
		}
		quoted = append(quoted, one[1:len(one)-1]...)
		left = left[size:]
	}
	return string(quoted) + `"`
}

// milliseconds prints a time as "12.345 ms", cheaply: it is on the way of every good result.
func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64) + " ms"
}
