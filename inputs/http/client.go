package http

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	"catpaw/internal/proxy"
)

// maxHeaderBytes bounds the head of an answer.
const maxHeaderBytes = 1 << 20

// initClient makes the one client of the probe. It keeps no connection: a check is to see that a new
// one can be made.
func (p *Probe) initClient() error {
	var errs []error
	through, err := p.ProxyURL()
	errs = append(errs, err)
	p.redactor.AddUser(through)
	p.proxyOf = proxy.Picker(through)
	tlsConfig, err := p.Options.Config()
	errs = append(errs, err)
	p.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives:      true,
		DialContext:            p.dial,
		Proxy:                  p.proxyOf,
		TLSClientConfig:        tlsConfig,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}}
	if !p.FollowRedirects {
		p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return errors.Join(errs...)
}

// newRequest makes the request that each look at a URL copies.
func (p *Probe) newRequest(u *url.URL) *http.Request {
	r := &http.Request{
		Method: p.method, URL: u, Host: u.Host, Header: p.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if p.host != "" {
		r.Host = p.host
	}
	if p.Payload != "" {
		r.ContentLength = int64(len(p.Payload))
		r.GetBody = p.newBody
	}
	return r
}

// dial connects on behalf of the request whose trace the context carries. The transport hands over a
// context that outlives the request, and sets no deadline on the TLS handshake; both are bound to the
// request here, so that nothing goes on after it.
func (p *Probe) dial(transport context.Context, network, address string) (net.Conn, error) {
	t := transport.Value(traceKey{}).(*trace)
	switch p.IPVersion {
	case 4:
		network = "tcp4"
	case 6:
		network = "tcp6"
	}
	dialer := net.Dialer{KeepAlive: -1} // the connection does not live long enough
	var conn net.Conn
	var err error
	switch {
	case t.from == nil:
		conn, err = dialer.DialContext(t.ctx, network, address)
	case t.from.err != nil:
		return nil, t.from.err
	default:
		conn, err = t.from.addrs.Dial(t.ctx, &dialer, network, address)
	}
	if err != nil {
		return nil, err
	}
	if deadline, ok := t.ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}
