package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptrace"
	"sync"
	"time"
)

// traceKey is where a request's context carries its trace.
type traceKey struct{}

// trace follows one exchange: how long each phase took, over all redirects, and which certificate the
// target showed. The transport calls it from several goroutines, and may do so after the exchange.
type trace struct {
	ctx  context.Context // of the request
	from *source         // nil = the system chooses

	mu         sync.Mutex
	phases     phases
	doing      string // for the message of a timeout
	hop        int    // 1 = the target itself, more = redirected
	handshakes int    // in this hop
	proxyTLS   bool   // the first handshake is with the proxy
	leaf       *x509.Certificate

	dnsStart, connectStart, tlsStart, ready time.Time
}

// phases are the parts of an exchange; 0 = did not happen.
type phases struct{ dns, connect, tls, firstByte time.Duration }

// newTrace makes a trace and the context that tells it. from may be nil.
func newTrace(ctx context.Context, from *source, proxyTLS bool) *trace {
	t := &trace{from: from, proxyTLS: proxyTLS, doing: "preparing the request"}
	t.ctx = httptrace.WithClientTrace(context.WithValue(ctx, traceKey{}, t), &httptrace.ClientTrace{
		GetConn:              t.getConn,
		DNSStart:             t.dnsStarted,
		DNSDone:              t.dnsDone,
		ConnectStart:         t.connectStarted,
		ConnectDone:          t.connectDone,
		TLSHandshakeStart:    t.tlsStarted,
		TLSHandshakeDone:     t.tlsDone,
		GotConn:              t.gotConn,
		GotFirstResponseByte: t.gotFirstByte,
	})
	return t
}

func (t *trace) getConn(string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hop++
	t.handshakes = 0
	t.ready = time.Time{}
}

func (t *trace) dnsStarted(httptrace.DNSStartInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dnsStart, t.doing = time.Now(), "looking up the name"
}

func (t *trace) dnsDone(httptrace.DNSDoneInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phases.dns += time.Since(t.dnsStart)
}

// connectStarted comes once for each address tried, also at the same time; the phase begins with the first.
func (t *trace) connectStarted(string, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.connectStart.IsZero() {
		t.connectStart, t.doing = time.Now(), "connecting"
	}
}

func (t *trace) connectDone(_, _ string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && !t.connectStart.IsZero() {
		t.phases.connect += time.Since(t.connectStart)
		t.connectStart = time.Time{}
	}
}

func (t *trace) tlsStarted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tlsStart, t.doing = time.Now(), "in the TLS handshake"
}

// tlsDone keeps the certificate of the target's own host, also one that was not accepted.
func (t *trace) tlsDone(state tls.ConnectionState, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.handshakes++
	if err == nil {
		t.phases.tls += time.Since(t.tlsStart)
	}
	if t.hop > 1 || t.leaf != nil || t.proxyTLS && t.handshakes == 1 {
		return
	}
	certs := state.PeerCertificates
	var refused *tls.CertificateVerificationError
	if errors.As(err, &refused) {
		certs = refused.UnverifiedCertificates
	}
	if len(certs) > 0 {
		t.leaf = certs[0]
	}
}

func (t *trace) gotConn(httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready, t.doing = time.Now(), "waiting for the answer"
}

func (t *trace) gotFirstByte() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ready.IsZero() {
		t.phases.firstByte += time.Since(t.ready)
	}
	t.doing = "reading the answer"
}

// result is what was seen by now.
func (t *trace) result() (p phases, leaf *x509.Certificate, doing string, hop int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phases, t.leaf, t.doing, t.hop
}
