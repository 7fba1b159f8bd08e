package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"catpaw/internal/pattern"
	"catpaw/internal/printable"
)

// maxExcerpt is how many bytes of a sink's answer an error shows.
const maxExcerpt = 200

// fault is an error without secrets. It wraps nothing, so nothing can be dug out of it.
func (c *Client) fault(format string, args ...any) error {
	return errors.New(c.redact.Hide(fmt.Sprintf(format, args...)))
}

// name is the sink as errors call it: scheme and host. The path of a chat webhook is its secret.
func (c *Client) name() string { return c.target.Scheme + "://" + c.target.Host }

// failed explains why there was no whole answer. The text is the same at every try, without ports
// that change, so that the log can say it once.
func (c *Client) failed(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return c.fault("%s did not answer within the output's timeout", c.name())
	case ctx.Err() != nil:
		return c.fault("the request to %s was broken off: the output is stopping", c.name())
	}
	return c.fault("%s: %s%s", c.name(), reason(err), c.hint(err))
}

func reason(err error) string {
	var urlError *url.Error // its text holds the whole URL
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	var verify *tls.CertificateVerificationError
	if errors.As(err, &verify) {
		return "its certificate is not to be trusted: " + verify.Err.Error()
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op != "dial" && op.Op != "proxyconnect" { // its text holds our own port
		return "the connection broke: " + op.Err.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it closed the connection before the answer was complete"
	}
	return printable.Line(err.Error(), maxExcerpt)
}

// hint says what to do, for the faults where we know.
func (c *Client) hint(err error) string {
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &authority):
		return " (name its authority in tls_ca)"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return " (it speaks plain HTTP: write http:// in the URL)"
	case strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		return " (it does not speak TLS on this port: is http:// meant?)"
	}
	return ""
}

// requestID is a part of an answer that differs every time, and would be news to the log every time.
var requestID = pattern.Lazy(`"(?i:request_?id|trace_?id)"\s*:\s*"[^"]*"\s*,?\s*`)

// Excerpt returns the beginning of the answer as one printable line without secrets, at most 200 bytes.
func (a *Answer) Excerpt() string {
	text := a.client.redact.Hide(string(a.Body)) // before the cut, which might leave half a secret
	return printable.Line(requestID().ReplaceAllString(text, ""), maxExcerpt)
}
