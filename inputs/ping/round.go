package ping

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"catpaw/internal/netif"
	"catpaw/pipeline"
)

// round is one look at all targets.
type round struct {
	*Probe
	report *pipeline.Report
	ways   map[bool]func() way // by whether it is IPv6
	from   netif.Addrs         // to send from
	noFrom error               // why there is nothing to send from

	mu       sync.Mutex
	shortage error // what kept this host from looking
}

// sight is what one look at one target saw.
type sight struct {
	addr    netip.Addr // not valid where it was not found out
	source  string     // address to send from; "" = the system's choice
	raw     bool
	echoes  *echoes // nil = nothing could be sent
	problem error   // nil = nothing hindered us
}

// look pings one target and reports what it saw.
func (r *round) look(ctx context.Context, i int) {
	started := time.Now()
	s := r.see(ctx, i)
	bad := s.echoes == nil || s.echoes.lossPercent() >= r.LossGe
	if ctx.Err() != nil && (bad || s.echoes.received < r.Count) { // cut off by us: the target is not to blame
		r.report.Incomplete("")
		if errors.Is(s.problem, errNoTurn) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			r.lacks(errNoTurn)
		}
		return
	}
	if bad && s.echoes != nil {
		s.problem = first(s.echoes.hostError(r.longest()), s.problem)
	}
	if bad && isHost(s.problem) {
		r.lacks(s.problem)
	}
	r.order.Late(i, bad)
	r.report.Add(r.checked(i, &s, bad, started))
	if r.RTTGe > 0 {
		r.report.Add(r.judgeTime(i, &s, bad, started))
	}
}

// see resolves and pings one target.
func (r *round) see(ctx context.Context, i int) (s sight) {
	if s.problem = r.noFrom; s.problem != nil {
		return s
	}
	if s.addr, s.problem = r.resolve(ctx, i); s.problem != nil {
		return s
	}
	v6 := s.addr.Is6()
	if s.source, s.problem = r.sourceFor(v6); s.problem != nil {
		return s
	}
	way := r.ways[v6]()
	if s.raw, s.problem = way.raw, way.err; s.problem != nil {
		return s
	}
	id := 0
	if s.raw {
		var ids []int
		if ids, s.problem = r.raw.take(ctx, r.raws()); s.problem != nil {
			return s
		}
		defer r.raw.give(ids)
		id = ids[0]
	}
	s.echoes, s.problem = r.echo(ctx, &s, id)
	return s
}

// lacks notes what kept this host from looking; the first of it is told.
func (r *round) lacks(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shortage = first(r.shortage, err)
}
