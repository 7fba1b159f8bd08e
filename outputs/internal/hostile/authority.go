package hostile

import (
	"crypto/tls"
	"testing"
	"time"
)

// Authority signs certificates for the tests of outputs that speak TLS, but not HTTP.
type Authority struct {
	by   *authority
	File string // for tls_ca
}

// NewAuthority makes an authority of its own.
func NewAuthority(t *testing.T) *Authority {
	t.Helper()
	by := newAuthority(t)
	return &Authority{by, by.file(t)}
}

// Server is the TLS of a server with a certificate for an address, good until then.
func (a *Authority) Server(t *testing.T, address string, until time.Time) *tls.Config {
	t.Helper()
	return certificate{by: a.by, until: until, address: address}.config(t)
}
