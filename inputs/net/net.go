// Package net probes TCP and UDP services: connect, perhaps speak TLS, send something, wait for what is
// expected. net.go holds the options, target.go judges addresses, probe.go is one look at one target,
// read.go the waiting for an answer; tell.go makes events of what was seen and why.go words what went wrong.
package net

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	stdnet "net"

	"catpaw/inputs/internal/turns"
	"catpaw/internal/config"
	"catpaw/internal/tlsconf"
	"catpaw/pipeline"
)

// Probe looks at every target, each on a connection of its own.
type Probe struct {
	// `host:port` each; `":9090"` means `localhost:9090`
	Targets []string `toml:"targets"`
	// targets at once
	Concurrency int `toml:"concurrency"`
	// `"tcp"` or `"udp"`; udp needs `send`, and `expect` or `expect_regex`
	Protocol string `toml:"protocol"`
	// for the name, the connect and the TLS handshake together
	Timeout config.Duration `toml:"timeout"`
	// for sending and the whole answer together
	ReadTimeout config.Duration `toml:"read_timeout"`
	// sent after connecting; escapes `\r \n \t \0 \\ \" \' \xHH`. Without `expect` it is enough that it could be sent.
	// Never shown in alerts
	Send string `toml:"send"`
	// text that the answer must hold, with the same escapes; without `send` a banner is waited for
	Expect string `toml:"expect"`
	// pattern that the answer must match; with `expect`, both must hold
	ExpectRegex string `toml:"expect_regex"`
	// tell when name, connect, TLS and answer together take longer; 0 = never
	ResponseTime config.Duration `toml:"response_time"`
	// speak TLS, over tcp
	TLS bool `toml:"tls"`
	// the same as `tls`
	UseTLS bool `toml:"use_tls"`
	tlsconf.Options

	send   []byte
	expect []byte
	regex  *regexp.Regexp
	tls    *tls.Config // nil = plain
	dialer stdnet.Dialer
	own    []ownLabels // by target
	order  *turns.Order
}

// ownLabels are the labels of one target's alerts, sorted; they are shared by all its events.
type ownLabels struct{ check, slow pipeline.Labels }

// New returns the probe with its defaults.
func New() *Probe {
	return &Probe{
		Concurrency: 100,
		Protocol:    "tcp",
		Timeout:     config.Duration(time.Second),
		ReadTimeout: config.Duration(time.Second),
	}
}

// Idle is true of an instance without targets.
func (p *Probe) Idle() string { return pipeline.IdleWithout(p.Targets) }

// Init judges the options.
func (p *Probe) Init() error {
	return errors.Join(p.initTargets(), p.initNumbers(), p.initTalk(), p.initTLS())
}

func (p *Probe) initTargets() error {
	var errs []error
	known := []string{"tcp", "udp"}
	services := p.Protocol // in which named ports are looked up
	if !slices.Contains(known, p.Protocol) {
		errs = append(errs, config.Field("protocol", `%q is not one of "tcp", "udp"%s`, p.Protocol, config.DidYouMean(p.Protocol, known)))
		services = "tcp"
	}
	p.own = make([]ownLabels, len(p.Targets))
	p.order = turns.New(len(p.Targets))
	for i, target := range p.Targets {
		address, err := checkAddress(services, target)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("targets[%d]", i), "%v", err))
			continue
		}
		p.Targets[i] = address
		p.own[i] = ownLabels{
			check: pipeline.L("check", p.Protocol+" check", "protocol", p.Protocol, "target", address),
			slow:  pipeline.L("check", p.Protocol+" response too slow", "protocol", p.Protocol, "target", address),
		}
	}
	return errors.Join(errs...)
}

func (p *Probe) initNumbers() error {
	var errs []error
	errs = append(errs, config.Between("concurrency", p.Concurrency, 1, pipeline.MaxConcurrency))
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "1s"`))
	}
	if p.ReadTimeout <= 0 {
		errs = append(errs, config.Field("read_timeout", `must be more than 0, as in "1s"`))
	}
	p.dialer = stdnet.Dialer{Timeout: p.Timeout.Std(), KeepAlive: -1} // no probe lives long enough to keep alive
	return errors.Join(errs...)
}

func (p *Probe) initTalk() error {
	var errs []error
	unescapeInto := func(option, text string) []byte {
		plain, err := unescape(text)
		if err != nil {
			errs = append(errs, config.Field(option, "%v", err))
		}
		return plain
	}
	p.send = unescapeInto("send", p.Send)
	p.expect = unescapeInto("expect", p.Expect)
	if p.ExpectRegex != "" {
		var err error
		if p.regex, err = regexp.Compile(p.ExpectRegex); err != nil {
			errs = append(errs, config.Field("expect_regex", "%v", err))
		}
	}
	if p.Protocol == "udp" && len(p.send) > maxDatagram {
		errs = append(errs, config.Field("send", "has %d bytes; a datagram holds %d", len(p.send), maxDatagram))
	}
	if len(p.expect) > maxAnswer {
		errs = append(errs, config.Field("expect", "has %d bytes; no more than %d of an answer are read", len(p.expect), maxAnswer))
	}
	if p.Protocol == "udp" && (p.Send == "" || !p.awaits()) {
		errs = append(errs, config.Field("protocol", "a udp check needs send, and expect or expect_regex: without an answer nobody knows whether a datagram arrived"))
	}
	return errors.Join(errs...)
}

// awaits reports whether an answer is waited for.
func (p *Probe) awaits() bool { return p.Expect != "" || p.ExpectRegex != "" }

func (p *Probe) initTLS() error {
	if !p.TLS && !p.UseTLS {
		return p.uselessTLS()
	}
	if p.Protocol == "udp" {
		return config.Field("tls", "is for tcp only")
	}
	var err error
	p.tls, err = p.Options.Config()
	return err
}

// uselessTLS finds TLS options that would silently do nothing.
func (p *Probe) uselessTLS() error {
	var errs []error
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"tls_ca", p.CA != ""}, {"tls_cert", p.Cert != ""}, {"tls_key", p.Key != ""},
		{"tls_server_name", p.ServerName != ""}, {"insecure_skip_verify", p.InsecureSkipVerify},
	} {
		if option.set {
			errs = append(errs, config.Field(option.name, "counts only with tls = true"))
		}
	}
	return errors.Join(errs...)
}

// MaxGather is every target at its timeouts, in as many rounds as concurrency makes of them.
func (p *Probe) MaxGather() time.Duration {
	each := p.Timeout.Std()
	if p.Send != "" || p.awaits() {
		each += p.ReadTimeout.Std()
	}
	return pipeline.Rounds(len(p.Targets), p.Concurrency, each)
}

// Keys names the alerts of every target.
func (p *Probe) Keys() []pipeline.Labels {
	var keys []pipeline.Labels
	for _, own := range p.own {
		keys = append(keys, slices.Clone(own.check))
		if p.ResponseTime > 0 {
			keys = append(keys, slices.Clone(own.slow))
		}
	}
	return keys
}

// Gather looks at every target once. It fails where this host has no room for another socket.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	var mu sync.Mutex
	var shortage error
	r.ForEach(ctx, len(p.Targets), p.Concurrency,
		func(i int) pipeline.Labels { return slices.Clone(p.own[p.order.At(i)].check) },
		func(i int) {
			if err := p.look(ctx, r, p.order.At(i)); err != nil {
				mu.Lock()
				defer mu.Unlock()
				shortage = err
			}
		})
	p.order.Next()
	if shortage != nil {
		return fmt.Errorf("some targets could not be looked at: %s. Lower concurrency, or raise the limits of the agent (ulimit -n)", plain(shortage, 0))
	}
	return nil
}
