package net

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	stdnet "net"

	"catpaw/internal/markdown"
	"catpaw/pipeline"
)

// shownBytes is how much of an answer is shown.
const shownBytes = 512

// sight is what one look at one target saw.
type sight struct {
	attrs    []pipeline.Attr
	problem  string // "" = all is well
	answer   []byte // what was read, where it is not what was expected
	answered bool   // the service was reached, so its time can be judged
	took     time.Duration
}

// look probes one target and reports what it saw.
func (p *Probe) look(ctx context.Context, r *pipeline.Report, i int) {
	started := time.Now()
	s := p.talk(ctx, p.Targets[i], started)
	s.took = time.Since(started)
	event := pipeline.Event{Time: started.Unix(), Status: pipeline.Ok, Labels: clone(p.own[i].check), Attrs: s.attrs}
	if s.problem == "" {
		event.Description = "[MD]\n- **target**: " + p.Targets[i] + "\n- **answered in**: " + milliseconds(s.took)
	} else {
		event.Status = pipeline.Bad
		event.Description = p.describe(p.Targets[i], &s)
	}
	r.Add(event)
	if p.ResponseTime > 0 {
		r.Add(p.judgeTime(i, &s))
	}
}

// judgeTime is the second alert of a target: it answers, but slowly.
func (p *Probe) judgeTime(i int, s *sight) pipeline.Event {
	event := pipeline.Event{Status: pipeline.Ok, Labels: clone(p.own[i].slow)}
	switch {
	case !s.answered:
		event.Status = pipeline.Unknown
	case s.took > p.ResponseTime.Std():
		event.Status = pipeline.Bad
	}
	var text markdown.Builder
	text.Item("target", "%s", p.Targets[i]).Item("expected", "an answer within %s", p.ResponseTime).Item("seen", "%s", milliseconds(s.took))
	event.Description = text.String()
	event.Attrs = []pipeline.Attr{{Key: "response_seconds", Value: s.took.Seconds()}}
	return event
}

// talk connects, speaks and listens as the options say.
func (p *Probe) talk(ctx context.Context, target string, started time.Time) (s sight) {
	s.attrs = make([]pipeline.Attr, 0, 2)
	conn, err := p.dialer.DialContext(ctx, p.Protocol, target)
	if err != nil {
		s.problem = "cannot connect: " + p.plain(err)
		return s
	}
	defer func() { conn.Close() }()
	connected := time.Now()
	s.measure("connect_seconds", connected.Sub(started))
	if p.tls != nil {
		secure, problem := p.handshake(conn, target, started.Add(p.Timeout.Std()))
		if problem != "" {
			s.problem = problem
			return s
		}
		conn = secure
		s.measure("tls_seconds", time.Since(connected))
		expiry := secure.ConnectionState().PeerCertificates[0].NotAfter
		s.attrs = append(s.attrs, pipeline.Attr{Key: "cert_expiry_days", Value: time.Until(expiry).Hours() / 24})
	}
	s.answered = true
	if len(p.send) == 0 && !p.awaits() {
		return s
	}
	p.exchange(conn, &s)
	return s
}

// handshake speaks TLS within what is left of the timeout.
func (p *Probe) handshake(conn stdnet.Conn, target string, deadline time.Time) (*tls.Conn, string) {
	config := p.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = stdnet.SplitHostPort(target)
	}
	secure := tls.Client(conn, config)
	if err := secure.SetDeadline(deadline); err != nil {
		return nil, "TLS: " + err.Error()
	}
	if err := secure.Handshake(); err != nil {
		return nil, "TLS: " + p.plain(err)
	}
	return secure, ""
}

// exchange sends and waits for the answer, both within read_timeout.
func (p *Probe) exchange(conn stdnet.Conn, s *sight) {
	begun := time.Now()
	if err := conn.SetDeadline(begun.Add(p.ReadTimeout.Std())); err != nil {
		s.problem, s.answered = err.Error(), false
		return
	}
	if len(p.send) > 0 {
		if _, err := conn.Write(p.send); err != nil {
			s.problem, s.answered = "cannot send: "+p.plain(err), false
			return
		}
	}
	if !p.awaits() {
		return
	}
	answer, found, err := p.read(conn)
	s.measure("response_seconds", time.Since(begun))
	if found {
		return
	}
	s.answer, s.answered = answer, false
	s.problem = p.whyNot(len(answer), err)
}

// whyNot words why the answer is not what was expected.
func (p *Probe) whyNot(n int, err error) string {
	switch {
	case n >= maxAnswer:
		return fmt.Sprintf("the expected text is not in the first %d bytes of the answer", maxAnswer)
	case errors.Is(err, os.ErrDeadlineExceeded) && n == 0:
		return "no answer within " + p.ReadTimeout.String()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the expected text did not come within " + p.ReadTimeout.String()
	case err != nil:
		return "cannot read: " + p.plain(err)
	case n == 0:
		return "the connection was closed without an answer"
	}
	return "the connection was closed before the expected text came"
}

// plain words an error without the addresses that the target's name already says.
func (p *Probe) plain(err error) string {
	var timeout interface{ Timeout() bool }
	var dns *stdnet.DNSError
	var op *stdnet.OpError
	switch {
	case errors.As(err, &dns):
		return "the name " + dns.Name + " cannot be resolved: " + dns.Err
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout after " + p.Timeout.String()
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return err.Error()
}

func (p *Probe) describe(target string, s *sight) string {
	var text markdown.Builder
	text.Item("target", "%s", target).Item("protocol", "%s", p.Protocol).Item("seen", "%s", s.problem)
	if p.Expect != "" {
		text.Item("expected", "text %q", p.expect)
	}
	if p.ExpectRegex != "" {
		text.Item("expected", "match of /%s/", p.ExpectRegex)
	}
	if len(s.answer) > 0 {
		shown := s.answer[:min(len(s.answer), shownBytes)]
		text.Item("answer", "%q, %d bytes", shown, len(s.answer))
	}
	return text.Item("took", "%s", milliseconds(s.took)).String()
}

func (s *sight) measure(name string, d time.Duration) {
	s.attrs = append(s.attrs, pipeline.Attr{Key: name, Value: d.Seconds()})
}

// milliseconds prints a time as "12.345 ms", cheaply: it is on the way of every good result.
func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64) + " ms"
}
