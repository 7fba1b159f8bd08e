package http

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// shownBody is how much of a body is kept for a description, in bytes; less of it is shown.
const shownBody = 4 << 10

// answer is what an exchange showed.
type answer struct {
	err      error         // why there is no complete answer
	reason   string        // err, for people
	movedTo  string        // where a redirect led, without its query; "" = nowhere
	status   int           // 0 = none was seen
	header   http.Header   // nil = none was seen
	body     *bytes.Buffer // what was kept of it; nil = nothing
	cut      bool          // the body was longer than max_body_bytes
	total    time.Duration // to the end of the body, or of the attempt
	phases   phases
	leaf     *x509.Certificate // the target's own; nil = none was seen
	statusOK bool
	wrong    []string // headers that are not as expected
}

// exchange asks one target and reads its answer.
func (p *Probe) exchange(ctx context.Context, t *target, from *source) *answer {
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(p.Timeout.Std()))
	defer cancel()
	a := &answer{}
	proxy, _ := p.proxyOf(t.template)
	trace := newTrace(ctx, from, proxy != nil && proxy.Scheme == "https")
	request := t.template.WithContext(trace.ctx)
	if request.GetBody != nil {
		request.Body, _ = p.newBody()
	}
	var size int64
	response, err := p.client.Do(request)
	if err == nil {
		size, err = p.read(response, a)
		response.Body.Close()
	}
	a.total = time.Since(start)
	var doing string
	var hops int
	a.phases, a.leaf, doing, hops = trace.result()
	if hops > 1 {
		a.movedTo = moved(response, err)
	}
	if err != nil {
		a.err = err
		a.reason = p.explain(a, doing, size, proxy)
	}
	return a
}

// newBody is the payload, to be read once.
func (p *Probe) newBody() (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(p.Payload)), nil
}

// moved names where redirects led, by the answer or the error there. Its query may hold a ticket, so it
// is not shown.
func moved(response *http.Response, err error) string {
	var last *url.URL
	var wrapped *url.Error
	switch {
	case response != nil:
		last = response.Request.URL
	case errors.As(err, &wrapped):
		last, _ = url.Parse(wrapped.URL)
	}
	if last == nil {
		return ""
	}
	return last.Scheme + "://" + last.Host + last.EscapedPath()
}

// read judges the head of the answer, since that decides how much of the body is worth keeping, and
// reads the body. It returns how many bytes of the body there were.
func (p *Probe) read(response *http.Response, a *answer) (int64, error) {
	a.status, a.header = response.StatusCode, response.Header
	a.statusOK = p.statusFits(a.status)
	a.wrong = p.wrongHeaders(a.header)
	keep := int64(0)
	switch {
	case a.status == http.StatusSwitchingProtocols: // what follows is not HTTP, and the server may wait for us
		a.body = p.buffer()
		return 0, nil
	case p.Expect.Substring != "" || p.body != nil:
		keep = int64(p.MaxBodyBytes)
	case !a.statusOK || len(a.wrong) > 0:
		keep = min(shownBody, int64(p.MaxBodyBytes))
	}
	rest := io.LimitReader(response.Body, int64(p.MaxBodyBytes))
	var kept int64
	if keep > 0 {
		a.body = p.buffer()
		var err error
		if kept, err = a.body.ReadFrom(io.LimitReader(rest, keep)); err != nil {
			return kept, err
		}
	}
	dropped, err := io.Copy(io.Discard, rest)
	a.cut = kept+dropped == int64(p.MaxBodyBytes)
	return kept + dropped, err
}

// buffer takes an empty buffer from the pool; release gives it back.
func (p *Probe) buffer() *bytes.Buffer {
	if b, ok := p.buffers.Get().(*bytes.Buffer); ok {
		b.Reset()
		return b
	}
	return &bytes.Buffer{}
}

// release ends the use of an answer.
func (p *Probe) release(a *answer) {
	if a.body != nil {
		p.buffers.Put(a.body)
	}
}

// explain says why there is no complete answer. doing is what was going on, size how much of the body
// had come, proxy nil where there is none.
func (p *Probe) explain(a *answer, doing string, size int64, proxy *url.URL) string {
	err := a.err
	text := unwrapURLError(err).Error()
	var timeout net.Error
	late := errors.As(err, &timeout) && timeout.Timeout() && a.total >= p.Timeout.Std() // not an earlier one of a name server, say
	switch {
	case late, errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("timed out after %s while %s", p.Timeout, doing)
	case errors.Is(err, io.ErrUnexpectedEOF) && doing == "reading the answer":
		text = "the server closed the connection before the answer was complete"
	case errors.Is(err, io.EOF):
		text = "the server closed the connection without an answer"
	}
	if size > 0 {
		text += fmt.Sprintf(" (%d bytes of the body had come)", size)
	}
	if proxy != nil {
		text += " (through the proxy " + proxy.Host + ")"
	}
	return p.clean(text, maxShownError)
}
