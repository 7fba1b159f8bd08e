// Package ping sends ICMP echo requests and watches how many come back, and how fast. ping.go holds the
// options, round.go is one look at all targets, resolve.go finds addresses, way.go finds out how this
// host lets us ping, echo.go is one target's packets; tell.go makes events of what was seen and why.go
// words what went wrong.
package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"catpaw/inputs/internal/turns"
	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Probe pings every target, each from a socket of its own.
type Probe struct {
	// names and addresses, without ports
	Targets []string `toml:"targets"`
	// targets at once
	Concurrency int `toml:"concurrency"`
	// packets to each target, 1 to 10000
	Count int `toml:"count"`
	// from one packet to the next, `"1ms"` to `"1h"`
	PingInterval config.Duration `toml:"ping_interval"`
	// how long the reply to each packet is waited for; one that comes later is lost. A name must be resolved within
	// this, too. At most `"1h"`
	Timeout config.Duration `toml:"timeout"`
	// bytes of data in a packet, 24 to 65507
	Size int `toml:"size"`
	// name or address of the interface to ping from; one that is not there is a failed check. Default: the system's
	// choice.
	Interface string `toml:"interface"`
	IPv6      bool   `toml:"ipv6"` // names: IPv6 only; false = IPv4 if there is one
	// tell when so many percent of the packets are lost, or more; above 0, up to 100
	LossGe float64 `toml:"alert_if_packet_loss_percent_ge"`
	// tell when the replies take so long on average, or longer; less than `timeout`; 0 = never
	RTTGe config.Duration `toml:"alert_if_rtt_ge"`

	own     []ownLabels  // by target
	literal []netip.Addr // by target; a name's is not valid
	order   *turns.Order

	raw    *RawSockets
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	try    func(network string) error // whether a socket can be opened
	goos   string
}

// ownLabels are the labels of one target's alerts, sorted; they are shared by all its events.
type ownLabels struct{ check, slow pipeline.Labels }

const (
	minSize  = 24    // go-ping puts its mark and the time into so many
	maxSize  = 65507 // an IPv4 packet holds no more
	maxCount = 10_000
	maxWait  = config.Duration(time.Hour)
	minPause = config.Duration(time.Millisecond) // less is a flood
)

// New returns the probe with its defaults.
func New(raw *RawSockets) *Probe {
	return &Probe{
		Concurrency:  100,
		Count:        5,
		PingInterval: config.Duration(200 * time.Millisecond),
		Timeout:      config.Duration(3 * time.Second),
		Size:         56,
		LossGe:       100,

		raw:    raw,
		lookup: net.DefaultResolver.LookupNetIP,
		try:    trySocket,
		goos:   runtime.GOOS,
	}
}

// Idle is true of an instance without targets.
func (p *Probe) Idle() string { return pipeline.IdleWithout(p.Targets) }

// Init judges the options.
func (p *Probe) Init() error { return errors.Join(p.initTargets(), p.initNumbers(), p.initLimits()) }

func (p *Probe) initTargets() error {
	var errs []error
	p.own = make([]ownLabels, len(p.Targets))
	p.literal = make([]netip.Addr, len(p.Targets))
	p.order = turns.New(len(p.Targets))
	for i, target := range p.Targets {
		literal, err := checkTarget(target)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("targets[%d]", i), "%v", err))
		}
		p.literal[i] = literal
		p.own[i] = ownLabels{
			check: pipeline.L("check", "ping check", "target", target),
			slow:  pipeline.L("check", "ping response too slow", "target", target),
		}
	}
	return errors.Join(errs...)
}

func (p *Probe) initNumbers() error {
	errs := []error{
		config.Between("concurrency", p.Concurrency, 1, pipeline.MaxConcurrency),
		config.Between("count", p.Count, 1, maxCount),
		config.Between("size", p.Size, minSize, maxSize),
	}
	if p.PingInterval < minPause || p.PingInterval > maxWait {
		errs = append(errs, config.Field("ping_interval", `%s is not between "1ms" and "1h"`, p.PingInterval))
	}
	if p.Timeout <= 0 || p.Timeout > maxWait {
		errs = append(errs, config.Field("timeout", `must be more than 0 and at most "1h", as in "3s"`))
	}
	return errors.Join(errs...)
}

func (p *Probe) initLimits() error {
	var errs []error
	if p.LossGe <= 0 || p.LossGe > 100 {
		errs = append(errs, config.Field("alert_if_packet_loss_percent_ge",
			"%v is not a percentage above 0 and up to 100; 100 tells when all is lost", p.LossGe))
	}
	if p.RTTGe >= p.Timeout && p.RTTGe > 0 {
		errs = append(errs, config.Field("alert_if_rtt_ge",
			"%s is never reached: a reply that takes longer than timeout, %s, is lost", p.RTTGe, p.Timeout))
	}
	return errors.Join(errs...)
}

// Warnings tells of targets on which ipv6 has no effect.
func (p *Probe) Warnings() (warnings []string) {
	for i, literal := range p.literal {
		if p.IPv6 && literal.Is4() {
			warnings = append(warnings, fmt.Sprintf("targets[%d]: %q is an IPv4 address and is pinged as such: ipv6 = true chooses for names only", i, p.Targets[i]))
		}
	}
	return warnings
}

// MaxGather is every target at its worst, in as many rounds as it takes where only raw sockets are
// allowed. Where other checks hold those meanwhile, the run is cut off, and says so.
func (p *Probe) MaxGather() time.Duration {
	each := p.Timeout.Std() + p.longest() + lingers // the name, the packets
	return pipeline.Rounds(len(p.Targets), min(p.Concurrency, maxRaw/p.raws()), each)
}

// longest is what the packets to one target take at worst.
func (p *Probe) longest() time.Duration {
	return time.Duration(p.Count-1)*p.PingInterval.Std() + p.Timeout.Std()
}

// Keys names the alerts of every target.
func (p *Probe) Keys() []pipeline.Labels {
	var keys []pipeline.Labels
	for _, own := range p.own {
		keys = append(keys, slices.Clone(own.check))
		if p.RTTGe > 0 {
			keys = append(keys, slices.Clone(own.slow))
		}
	}
	return keys
}

// Gather pings every target once. It fails where this host could not do so.
func (p *Probe) Gather(ctx context.Context, r *pipeline.Report) error {
	round := &round{Probe: p, report: r, ways: p.ways()}
	round.from, round.noFrom = p.sources()
	r.ForEach(ctx, len(p.Targets), p.Concurrency,
		func(i int) pipeline.Labels { return slices.Clone(p.own[p.order.At(i)].check) },
		func(i int) { round.look(ctx, p.order.At(i)) })
	p.order.Next()
	return round.shortage
}
