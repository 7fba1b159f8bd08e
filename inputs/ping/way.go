package ping

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"

	"golang.org/x/net/icmp"
)

// maxRaw is how many raw sockets ping at once. Each of them receives what is meant for any of them: 200 at
// once overflow each other's buffers and lose every fourth reply; 32 do not.
const maxRaw = 32

// A socket's buffer of 208 KiB, Linux' default, holds 277 packets of the usual size with what the kernel
// adds to each, but no more than 92 full Ethernet frames: larger pings leave room for fewer others.
const (
	inBuffer = 768 // bytes that a ping of up to 118 bytes takes in the buffer
	overhead = 650 // of them the kernel's
)

// RawSockets are leave to ping on so many raw sockets, each with an ICMP identifier that nobody else holds.
// All checks of a process share them, since raw sockets disturb each other whichever check opened them. It
// is safe for concurrent use.
type RawSockets struct {
	free  chan int
	queue chan struct{} // holds one who is taking: two who each wait for the other's would wait for ever
}

// NewRawSockets returns what all probes of a process are to share.
func NewRawSockets() *RawSockets { return newRawSockets(maxRaw) }

func newRawSockets(n int) *RawSockets {
	ids := &RawSockets{free: make(chan int, n), queue: make(chan struct{}, 1)}
	base := rand.IntN(1 << 16) // not where another catpaw begins
	for i := range n {
		ids.free <- (base + i) & 0xffff
	}
	return ids
}

// raws is how many identifiers a ping of this size must hold.
func (p *Probe) raws() int { return min(maxRaw, (p.Size+overhead-1)/inBuffer+1) }

// errNoTurn is the end of a run that waited for others' raw sockets.
var errNoTurn error = &hostError{"other checks held all raw sockets until this one's deadline. Longer intervals help; so does to allow unprivileged pings, which know no such limit: " + remedyUnprivileged}

// take waits for n identifiers. They must be given back.
func (ids *RawSockets) take(ctx context.Context, n int) ([]int, error) {
	select {
	case ids.queue <- struct{}{}:
		defer func() { <-ids.queue }()
	case <-ctx.Done():
		return nil, errNoTurn
	}
	taken := make([]int, 0, n)
	for len(taken) < n {
		select {
		case id := <-ids.free:
			taken = append(taken, id)
		case <-ctx.Done():
			ids.give(taken)
			return nil, errNoTurn
		}
	}
	return taken, nil
}

func (ids *RawSockets) give(taken []int) {
	for _, id := range taken {
		ids.free <- id
	}
}

// way is how this host lets us ping over one version of IP.
type way struct {
	raw bool // on a raw socket; else unprivileged
	err error
}

const (
	remedyUnprivileged = `sysctl -w net.ipv4.ping_group_range="0 2147483647"`
	remedyRaw          = `the capability CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW in its systemd unit, or setcap cap_net_raw+ep on the binary)`
)

// networks are the names by which sockets are opened: unprivileged and raw.
var networks = map[bool][2]string{
	false: {"udp4", "ip4:icmp"},
	true:  {"udp6", "ip6:ipv6-icmp"},
}

// ways finds out, once a run since it may change, how this host lets us ping.
func (p *Probe) ways() map[bool]func() way {
	return map[bool]func() way{
		false: sync.OnceValue(func() way { return p.findWay(false) }),
		true:  sync.OnceValue(func() way { return p.findWay(true) }),
	}
}

// findWay prefers unprivileged sockets, which get their own replies only.
func (p *Probe) findWay(v6 bool) way {
	unprivileged := p.try(networks[v6][0])
	if unprivileged == nil {
		return way{}
	}
	if isShortage(unprivileged) {
		return way{err: shortageOf(unprivileged)}
	}
	raw := p.try(networks[v6][1])
	switch {
	case raw == nil:
		return way{raw: true}
	case isShortage(raw):
		return way{err: shortageOf(raw)}
	case errors.Is(raw, syscall.EAFNOSUPPORT):
		return way{err: errors.New("this host does not speak " + version(v6))}
	}
	return way{err: p.refused(unprivileged, raw)}
}

// refused tells of a host that lets us ping neither way, and of both ways out.
func (p *Probe) refused(unprivileged, raw error) error {
	remedy := "Run catpaw with the rights of an administrator."
	if p.goos == "linux" {
		remedy = "Either allow unprivileged pings with " + remedyUnprivileged + ", or give catpaw " + remedyRaw + "."
	}
	return &hostError{fmt.Sprintf("this host does not let catpaw ping: an unprivileged socket is refused (%s), a raw one too (%s). %s",
		plain(unprivileged), plain(raw), remedy)}
}

// trySocket opens and closes a socket.
func trySocket(network string) error {
	conn, err := icmp.ListenPacket(network, "")
	if err != nil {
		return err
	}
	return conn.Close()
}

func version(v6 bool) string {
	if v6 {
		return "IPv6"
	}
	return "IPv4"
}
