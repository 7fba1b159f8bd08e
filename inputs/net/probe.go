package net

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	stdnet "net"

	"catpaw/pipeline"
)

// heldUp is how long a target that fails may take before it counts as one that holds up others.
const heldUp = 50 * time.Millisecond

// sight is what one look at one target saw.
type sight struct {
	attrs   []pipeline.Attr
	problem string            // "" = all is well
	err     error             // behind the problem, where there is one
	answer  []byte            // what was read, where it is not what was expected
	cert    *x509.Certificate // that could not be verified
	took    time.Duration
}

// look probes one target and reports what it saw. The error is that of a host that has no room for
// another socket.
func (p *Probe) look(ctx context.Context, r *pipeline.Report, i int) error {
	started := time.Now()
	s := p.talk(ctx, p.Targets[i], started)
	s.took = time.Since(started)
	p.order.Late(i, s.problem != "" && s.took > heldUp)
	if s.problem != "" && ctx.Err() != nil { // cut off by us: the target is not to blame
		r.Incomplete("")
		return nil
	}
	if s.problem == "" {
		s.measure("response_seconds", s.took)
	}
	r.Add(p.checked(i, &s, started))
	if p.ResponseTime > 0 {
		r.Add(p.judgeTime(i, &s, started))
	}
	if isShortage(s.err) {
		return s.err
	}
	return nil
}

// talk connects, speaks and listens as the options say.
func (p *Probe) talk(ctx context.Context, target string, started time.Time) (s sight) {
	s.attrs = make([]pipeline.Attr, 0, 2)
	conn, err := p.dialer.DialContext(ctx, p.Protocol, target)
	if err != nil {
		s.fail("cannot connect: "+plain(err, p.Timeout.Std()), err)
		return s
	}
	defer conn.Close()
	connected := time.Now()
	s.measure("connect_seconds", connected.Sub(started))
	if p.tls == nil {
		p.exchange(ctx, conn, &s)
		return s
	}
	secure := p.handshake(ctx, conn, target, started.Add(p.Timeout.Std()), &s)
	if s.problem != "" {
		return s
	}
	s.measure("tls_seconds", time.Since(connected))
	if p.exchange(ctx, secure, &s); s.problem == "" {
		secure.Close() // says goodbye; a peer that hangs is left without
	}
	return s
}

// handshake speaks TLS until the deadline. The certificate's expiry is measured even where the
// certificate is refused.
func (p *Probe) handshake(ctx context.Context, conn stdnet.Conn, target string, deadline time.Time, s *sight) *tls.Conn {
	config := p.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = stdnet.SplitHostPort(target)
	}
	secure := tls.Client(conn, config)
	err := conn.SetDeadline(deadline)
	if err == nil {
		err = secure.HandshakeContext(ctx)
	}
	certs := secure.ConnectionState().PeerCertificates
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) && len(unverified.UnverifiedCertificates) > 0 {
		certs = unverified.UnverifiedCertificates
		s.cert = certs[0]
	}
	if len(certs) > 0 {
		s.attrs = append(s.attrs, pipeline.Attr{Key: "cert_expiry_days", Value: time.Until(certs[0].NotAfter).Hours() / 24})
	}
	if err != nil {
		s.fail("TLS: "+plain(err, p.Timeout.Std()), err)
	}
	return secure
}

// longAgo as a deadline ends what a connection waits for.
var longAgo = time.Unix(1, 0)

// exchange sends and waits for the answer, both within read_timeout, as far as the options ask for it.
func (p *Probe) exchange(ctx context.Context, conn stdnet.Conn, s *sight) {
	if len(p.send) == 0 && !p.awaits() {
		return
	}
	if err := conn.SetDeadline(time.Now().Add(p.ReadTimeout.Std())); err != nil {
		s.fail(err.Error(), err)
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(longAgo) })
	defer stop()
	if len(p.send) > 0 {
		if _, err := conn.Write(p.send); err != nil {
			s.fail("cannot send: "+plain(err, p.ReadTimeout.Std()), err)
			return
		}
	}
	if !p.awaits() {
		return
	}
	answer, found, err := p.read(conn)
	if !found {
		s.answer = answer
		s.fail(p.whyNot(len(answer), err), err)
	}
}

func (s *sight) fail(problem string, err error) { s.problem, s.err = problem, err }

func (s *sight) measure(name string, d time.Duration) {
	s.attrs = append(s.attrs, pipeline.Attr{Key: name, Value: d.Seconds()})
}
