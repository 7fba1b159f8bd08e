package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// bootstrap is what the transport dials before it knows the cluster: any of the brokers that the
// configuration names. The name can belong to no real one (RFC 2606).
const bootstrap = "brokers.invalid:9092"

const (
	dialTimeout      = 1500 * time.Millisecond // so that an address that swallows everything does not use up a try
	handshakeTimeout = 5 * time.Second         // of TLS
)

// dialer opens connections to brokers. It is safe for concurrent use.
type dialer struct {
	brokers []string
	tls     *tls.Config // nil: none
	login   bool
	turn    atomic.Uint32
}

// fault is an error that says all there is to say, in words for people.
type fault struct{ text string }

func (f *fault) Error() string { return f.text }

func faultf(format string, args ...any) error { return &fault{fmt.Sprintf(format, args...)} }

// dial connects to a broker, for bootstrap to the first that can be reached. Each time another one is
// asked first: one that takes connections and then says nothing must not be the only one asked.
func (d *dialer) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if address != bootstrap {
		return d.connect(ctx, address)
	}
	start := int(d.turn.Add(1) - 1)
	whys := make([]string, len(d.brokers)) // in the order of the configuration: the same text at every try
	for i := range d.brokers {
		at := (start + i) % len(d.brokers)
		conn, err := d.connect(ctx, d.brokers[at])
		if err == nil {
			return conn, nil
		}
		whys[at] = err.Error()
	}
	return nil, faultf("%s", strings.Join(whys, "; "))
}

func (d *dialer) connect(ctx context.Context, broker string) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var raw net.Dialer
	plain, err := raw.DialContext(dialing, "tcp", broker)
	if err != nil {
		return nil, d.unreachable(broker, err)
	}
	if d.tls == nil {
		return &conn{Conn: plain, broker: broker, login: d.login}, nil
	}
	shaking, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Client(plain, d.tlsOf(broker))
	if err := secure.HandshakeContext(shaking); err != nil {
		plain.Close()
		return nil, untrusted(broker, err)
	}
	return &conn{Conn: secure, broker: broker, login: d.login, tls: true}, nil
}

// tlsOf verifies the broker's own name unless the configuration gives another one.
func (d *dialer) tlsOf(broker string) *tls.Config {
	if d.tls.ServerName != "" {
		return d.tls
	}
	config := d.tls.Clone()
	config.ServerName, _, _ = net.SplitHostPort(broker)
	return config
}

// unreachable explains why there is no connection. A broker that the configuration does not name is one
// that the cluster told us of, by an address that may be good only over there.
func (d *dialer) unreachable(broker string, err error) error {
	why := err.Error()
	var op *net.OpError
	if errors.As(err, &op) {
		why = op.Err.Error()
	}
	var timeout net.Error
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "connection refused"
	case errors.As(err, &name):
		why = "its name cannot be resolved"
	case errors.As(err, &timeout) && timeout.Timeout():
		why = "no connection in time"
	}
	if !slices.Contains(d.brokers, broker) {
		why += " (this address comes from the cluster, from advertised.listeners: it must be reachable from here)"
	}
	return faultf("%s: %s", broker, why)
}

// untrusted explains why a TLS handshake failed.
func untrusted(broker string, err error) error {
	var verify *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &authority):
		return faultf("%s: its certificate is not to be trusted: %v (name its authority in tls_ca)", broker, authority)
	case errors.As(err, &verify):
		return faultf("%s: its certificate is not to be trusted: %v", broker, verify.Err)
	case errors.As(err, &record):
		return faultf("%s does not speak TLS: leave out tls, or give the port that does", broker)
	case errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET):
		return faultf("%s closed the connection during the TLS handshake: does it speak TLS on this port?", broker)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return faultf("%s did not answer the TLS handshake in time", broker)
	}
	return faultf("%s: the TLS handshake failed: %v", broker, err)
}
