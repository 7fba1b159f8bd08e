// Package http asks HTTP servers and judges what they answer. Each target gives up to six results,
// each an alert of its own:
//
//	target ─► exchange ─► answer ─► judge ─► HTTP check failed              always
//	          (trace: phases,               TLS cert will expire soon       https, where a threshold is set
//	           certificate)                 HTTP response status code …     the rest: where something is expected
//
// What a failed exchange did not show is reported as Unknown, so that its alert keeps its state.
package http

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"catpaw/internal/config"
	"catpaw/internal/match"
	"catpaw/internal/netif"
	"catpaw/internal/proxy"
	"catpaw/internal/redact"
	"catpaw/internal/tlsconf"
	"catpaw/pipeline"
)

// Probe asks its targets, each over a new connection.
type Probe struct {
	// http and https URLs
	Targets []string `toml:"targets"`
	// targets at once
	Concurrency int `toml:"concurrency"`
	// of one target, from the name lookup to the end of the body, redirects included
	Timeout config.Duration `toml:"timeout"`
	// sent in upper case
	Method string `toml:"method"`
	// names and values in turn; `Host` sets the request's host; `"@/path"` reads a value from a file
	Headers []config.Secret `toml:"headers"`
	// the body to send
	Payload string `toml:"payload"`
	// a login; the password may be `"@/path"`
	BasicAuthUser string `toml:"basic_auth_user"`
	// a login; the password may be `"@/path"`
	BasicAuthPass config.Secret `toml:"basic_auth_pass"`
	// instead of a login; may be `"@/path"`
	BearerToken config.Secret `toml:"bearer_token"`
	// send from this interface's address; one that is not there is a failed check. Default: the system's choice.
	Interface string `toml:"interface"`
	// `false` = the answer that redirects is judged itself
	FollowRedirects bool `toml:"follow_redirects"`
	// `4` or `6`. Default: either.
	IPVersion int `toml:"ip_version"`
	// how much of a body is read and searched; at most 512 bytes are shown
	MaxBodyBytes config.Size `toml:"max_body_bytes"`
	// what the answer must be like, see below
	Expect Expect `toml:"expect"`
	// accepted; the TLS options count without it
	UseTLS bool `toml:"use_tls"`
	proxy.Option
	tlsconf.Options

	targets  []target
	method   string // as it is sent
	client   *http.Client
	header   http.Header // shared by all requests, never written to
	host     string      // of the request, where headers set it
	proxyOf  func(*http.Request) (*url.URL, error)
	redactor redact.Redactor

	status  *match.Set
	body    *regexp.Regexp
	headers []expectedHeader

	buffers sync.Pool // of *bytes.Buffer, for bodies
}

// Expect is what a good answer looks like. What is not set is not judged.
type Expect struct {
	// list of globs, as in `["20*", "304"]`
	StatusCode []string `toml:"response_status_code"`
	// text in the body
	Substring string `toml:"response_substring"`
	// regular expression (Go's RE2) that the body matches
	Regex string `toml:"response_regex"`
	// the most the whole answer may take; less than `timeout`
	Time config.Duration `toml:"response_time"`
	// table of header name → glob; of several values one must match
	Header map[string]string `toml:"header"`
	// as in `"72h"` or `"14d"`
	CertThreshold config.Duration `toml:"cert_expire_threshold"`
}

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{
		Concurrency:     100,
		Timeout:         config.Duration(5 * time.Second),
		FollowRedirects: true,
		MaxBodyBytes:    1 << 20,
	}
}

// MaxGather is every target at its timeout, in as many rounds as concurrency makes of them.
func (p *Probe) MaxGather() time.Duration {
	return pipeline.Rounds(len(p.Targets), p.Concurrency, p.Timeout.Std())
}

// Keys names every alert that the targets can raise.
func (p *Probe) Keys() []pipeline.Labels {
	var keys []pipeline.Labels
	for i := range p.targets {
		for _, own := range p.targets[i].labels {
			if own != nil {
				keys = append(keys, own)
			}
		}
	}
	return keys
}

// Gather asks every target once.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	from := p.lookupInterface()
	r.ForEach(ctx, len(p.targets), p.Concurrency,
		func(i int) pipeline.Labels { return p.targets[i].labels[checkFailed] },
		func(i int) {
			t := &p.targets[i]
			a := p.exchange(ctx, t, from)
			defer p.release(a)
			if a.err != nil && ctx.Err() != nil {
				r.Incomplete("") // the run was ended, which says nothing about the target
				return
			}
			p.judge(r, t, a)
		})
	return nil
}

// source is where connections leave from: an interface that was looked up, or why it cannot be used.
type source struct {
	addrs netif.Addrs
	err   error
}

// lookupInterface finds the interface anew for every run, since its addresses may change. It returns
// nil where the system is to choose.
func (p *Probe) lookupInterface() *source {
	if p.Interface == "" {
		return nil
	}
	addrs, err := netif.Lookup(p.Interface)
	return &source{addrs: addrs, err: err}
}
