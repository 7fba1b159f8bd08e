// Package net probes TCP and UDP services: connect, perhaps speak TLS, send something, wait for what is
// expected. net.go holds the options, probe.go one look at one target, read.go the waiting for an answer.
package net

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"time"

	stdnet "net"

	"catpaw/internal/config"
	"catpaw/internal/tlsconf"
	"catpaw/pipeline"
)

// Probe looks at every target, each on a connection of its own.
type Probe struct {
	Targets      []string        `toml:"targets"`
	Concurrency  int             `toml:"concurrency"`
	Protocol     string          `toml:"protocol"`      // "tcp" or "udp"
	Timeout      config.Duration `toml:"timeout"`       // for name, connect and TLS together
	ReadTimeout  config.Duration `toml:"read_timeout"`  // for sending and the whole answer together
	Send         string          `toml:"send"`          // with escapes, as are the next two
	Expect       string          `toml:"expect"`        // text that the answer must hold
	ExpectRegex  string          `toml:"expect_regex"`  // pattern that the answer must match
	ResponseTime config.Duration `toml:"response_time"` // 0 = no limit
	TLS          bool            `toml:"tls"`
	tlsconf.Options

	send   []byte
	expect []byte
	regex  *regexp.Regexp
	tls    *tls.Config // nil = plain
	dialer stdnet.Dialer
	own    []ownLabels // by target
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

// Init judges the options.
func (p *Probe) Init() error {
	return errors.Join(p.initTargets(), p.initNumbers(), p.initTalk(), p.initTLS())
}

func (p *Probe) initTargets() error {
	if p.Protocol != "tcp" && p.Protocol != "udp" {
		return config.Field("protocol", `%q is not one of "tcp", "udp"%s`, p.Protocol, config.DidYouMean(p.Protocol, []string{"tcp", "udp"}))
	}
	var errs []error
	p.own = make([]ownLabels, len(p.Targets))
	for i, target := range p.Targets {
		address, err := checkAddress(p.Protocol, target)
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

// checkAddress judges host:port; ":9090" means localhost, and is named so.
func checkAddress(protocol, target string) (string, error) {
	host, port, err := stdnet.SplitHostPort(target)
	if err != nil {
		return "", fmt.Errorf(`%q is not host:port, as in "127.0.0.1:22" or "[::1]:22"`, target)
	}
	// Named ports are looked up in the host's list of services, which asks no network.
	if n, err := stdnet.LookupPort(protocol, port); err != nil || n == 0 {
		return "", fmt.Errorf("%q has no port between 1 and 65535", target)
	}
	if host == "" {
		return "localhost:" + port, nil
	}
	return target, nil
}

func (p *Probe) initNumbers() error {
	var errs []error
	if p.Concurrency < 1 {
		errs = append(errs, config.Field("concurrency", "must be at least 1, not %d", p.Concurrency))
	}
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
	if p.Protocol == "udp" && (p.Send == "" || !p.awaits()) {
		errs = append(errs, config.Field("protocol", "a udp check needs send, and expect or expect_regex: without an answer nobody knows whether a datagram arrived"))
	}
	return errors.Join(errs...)
}

// awaits reports whether an answer is waited for.
func (p *Probe) awaits() bool { return p.Expect != "" || p.ExpectRegex != "" }

func (p *Probe) initTLS() error {
	if !p.TLS && !p.UseTLS {
		return nil
	}
	if p.Protocol == "udp" {
		return config.Field("tls", "is for tcp only")
	}
	var err error
	p.tls, err = p.Options.Config()
	return err
}

// MaxGather is every target at its timeouts, in as many rounds as concurrency makes of them.
func (p *Probe) MaxGather() time.Duration {
	rounds := (len(p.Targets) + p.Concurrency - 1) / p.Concurrency
	return time.Duration(rounds) * (p.Timeout.Std() + p.ReadTimeout.Std())
}

// Keys names the alerts of every target.
func (p *Probe) Keys() []pipeline.Labels {
	var keys []pipeline.Labels
	for _, own := range p.own {
		keys = append(keys, clone(own.check))
		if p.ResponseTime > 0 {
			keys = append(keys, clone(own.slow))
		}
	}
	return keys
}

// Gather looks at every target once.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	r.ForEach(ctx, len(p.Targets), p.Concurrency,
		func(i int) pipeline.Labels { return clone(p.own[i].check) },
		func(i int) { p.look(ctx, r, i) })
	return nil
}

// clone is for labels that go into an event: an event belongs to its receiver.
func clone(labels pipeline.Labels) pipeline.Labels { return append(pipeline.Labels(nil), labels...) }
