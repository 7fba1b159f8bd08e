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
	Targets         []string        `toml:"targets"`
	Concurrency     int             `toml:"concurrency"` // targets at once
	Timeout         config.Duration `toml:"timeout"`     // of one target, from the name lookup to the end of the body
	Method          string          `toml:"method"`      // "" = GET
	Headers         []config.Secret `toml:"headers"`     // names and values in turn
	Payload         string          `toml:"payload"`
	BasicAuthUser   string          `toml:"basic_auth_user"`
	BasicAuthPass   config.Secret   `toml:"basic_auth_pass"`
	BearerToken     config.Secret   `toml:"bearer_token"`
	Interface       string          `toml:"interface"` // to send from
	FollowRedirects bool            `toml:"follow_redirects"`
	IPVersion       int             `toml:"ip_version"` // 4 or 6; 0 = either
	MaxBodyBytes    config.Size     `toml:"max_body_bytes"`
	Expect          Expect          `toml:"expect"`
	UseTLS          bool            `toml:"use_tls"` // accepted for the original's configurations; the next count without it
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
	StatusCode    []string          `toml:"response_status_code"` // globs
	Substring     string            `toml:"response_substring"`
	Regex         string            `toml:"response_regex"`
	Time          config.Duration   `toml:"response_time"` // longest, from the name lookup to the end of the body
	Header        map[string]string `toml:"header"`        // name → glob
	CertThreshold config.Duration   `toml:"cert_expire_threshold"`
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
