// Package post is what the HTTP outputs share: one POST, and an honest verdict on how it went.
//
//	Send ─► connection kept alive ─► sink
//	  ◄── nil, Refused or "try again" (with the sink's Retry-After), no secret in any text
package post

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/go-resty/resty/v2"

	"catpaw/internal/config"
	"catpaw/internal/proxy"
	"catpaw/internal/redact"
	"catpaw/internal/tlsconf"
)

const (
	maxAnswer   = 64 << 10 // bytes of a response's body that are read
	maxHeaders  = 64 << 10 // bytes of a response's headers that are taken
	idlePerHost = 100      // connections kept: as many as a generous `concurrency`
	idleTime    = 90 * time.Second
	dialTimeout = 30 * time.Second // an upper bound only: the output's timeout is shorter as a rule
)

// Options are the options of the way to the sink. Embed them in an output's struct.
type Options struct {
	tlsconf.Options
	proxy.Option
}

// Client posts to one sink. It is safe for concurrent use.
type Client struct {
	resty  *resty.Client
	target *url.URL
	redact redact.Redactor
}

// Client makes a client for the target. What secrets names, beside what the URLs hold, never appears in
// an error. The error is a config.FieldError, or several joined.
func (o Options) Client(target *url.URL, secrets ...config.Secret) (*Client, error) {
	transport, through, err := o.transport()
	if err != nil {
		return nil, err
	}
	c := &Client{target: target}
	c.redact.AddURL(target)
	c.redact.AddUser(through)
	for _, secret := range secrets {
		c.redact.Add(secret.Reveal())
	}
	c.resty = resty.NewWithClient(&http.Client{Transport: transport, CheckRedirect: stay})
	c.resty.SetLogger(silent{}).SetDisableWarn(true).SetDoNotParseResponse(true).SetRetryCount(0)
	return c, nil
}

// stay hands the redirect itself to us: following it would turn the POST into an empty GET.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// silent drops what resty would log: it prints whole URLs.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// Request is one request to the sink.
type Request struct {
	Method string // "" = POST
	Header http.Header
	Query  url.Values // added to that of the target
	Body   []byte
	ID     string // for Idempotency-Key: the same whenever the same events are sent
}

// Send sends one request and waits for the answer, at most until ctx ends. A nil error means a status
// 2xx; whether the answer's body is one of success is for the caller to say. Any error is a verdict.
//
// Idempotency-Key lets net/http repeat a POST whose kept connection turns out to be closed before
// anything was answered; there are no other repetitions.
func (c *Client) Send(ctx context.Context, r Request) (*Answer, error) {
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	request := c.resty.R().SetContext(ctx).SetBody(bytes.NewReader(r.Body))
	request.Header = r.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "catpaw")
	}
	if r.ID != "" {
		request.Header.Set("Idempotency-Key", r.ID)
	}
	target := *c.target
	if len(r.Query) > 0 {
		query := target.Query()
		maps.Copy(query, r.Query)
		target.RawQuery = query.Encode()
	}
	response, err := request.Execute(r.Method, target.String())
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	raw := response.RawResponse
	defer raw.Body.Close()
	// What the context ends must end, whatever the sink made of the connection (101 takes it out of
	// net/http's hands).
	defer context.AfterFunc(ctx, func() { raw.Body.Close() })()
	answer := &Answer{client: c}
	if raw.StatusCode == http.StatusSwitchingProtocols {
		return answer, c.verdict(raw, answer, time.Now())
	}
	if answer.Body, err = io.ReadAll(io.LimitReader(raw.Body, maxAnswer)); err != nil {
		answer.Broken = c.failed(ctx, err)
	}
	return answer, c.verdict(raw, answer, time.Now())
}

// Close lets go of the kept connections.
func (c *Client) Close() error {
	c.resty.GetClient().CloseIdleConnections()
	return nil
}

// Answer is what the sink said to a request with status 2xx.
type Answer struct {
	Body   []byte // at most the first 64 KiB
	Broken error  // a verdict "try again" where the answer ended too early; nil where it is whole
	client *Client
}
