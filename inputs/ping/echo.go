package ping

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/go-ping/ping"
)

// lingers is how long go-ping may need to notice that it should stop: its reader sleeps up to 102 ms.
const lingers = 110 * time.Millisecond

// echoes is what came back from one target. go-ping sends, receives, and tells duplicates and others'
// replies apart. The clock, and with it the wait of each packet, is ours: go-ping has one timeout for all
// packets together, and measures by the clock on the wall, which may be set meanwhile.
//
// Its methods are called by go-ping, from one goroutine.
type echoes struct {
	ping.NoopLogger
	count int           // of packets to send
	wait  time.Duration // for each reply
	stop  func()

	sentAt        []time.Time // by sequence number
	received      int         // in time
	late          int         // replies that came, but after their wait
	min, max, sum time.Duration
	unsent        int         // failed attempts to send, but for the first
	sendError     error       // of the last of them
	last          *time.Timer // the wait for the last packet
	took          time.Duration
}

// echo pings an address. It returns no echoes, but an error, where nothing could be sent.
func (p *Probe) echo(ctx context.Context, s *sight, id int) (*echoes, error) {
	pinger := ping.New("")
	e := &echoes{count: p.Count, wait: p.Timeout.Std(), stop: pinger.Stop, sentAt: make([]time.Time, 0, p.Count)}
	pinger.SetIPAddr(&net.IPAddr{IP: s.addr.AsSlice(), Zone: s.addr.Zone()})
	pinger.SetPrivileged(s.raw)
	if s.raw {
		pinger.SetID(id)
	}
	pinger.SetLogger(e)
	pinger.Source = s.source
	pinger.Count, pinger.Interval, pinger.Size = p.Count, p.PingInterval.Std(), p.Size
	pinger.RecordRtts = false
	pinger.OnSend, pinger.OnRecv = e.onSend, e.onReceive
	defer context.AfterFunc(ctx, pinger.Stop)()
	begun := time.Now()
	err := pinger.Run()
	e.took = time.Since(begun)
	if e.last != nil {
		e.last.Stop()
	}
	if len(e.sentAt) == 0 {
		return nil, asHostError(err)
	}
	return e, err
}

func (e *echoes) onSend(*ping.Packet) {
	e.sentAt = append(e.sentAt, time.Now())
	e.tried()
}

// Fatalf is how go-ping tells that it could not send a packet other than the first. It goes on, and tries
// that packet again when the next is due. Of a packet that it could not read it tells here, too.
func (e *echoes) Fatalf(format string, values ...any) {
	if !strings.HasPrefix(format, "sending packet") {
		return
	}
	for _, value := range values {
		if err, ok := value.(error); ok {
			e.unsent, e.sendError = e.unsent+1, err
			e.tried()
		}
	}
}

// tried begins the last wait when the last packet is on its way.
func (e *echoes) tried() {
	if e.last == nil && len(e.sentAt)+e.unsent >= e.count {
		e.last = time.AfterFunc(e.wait, e.stop)
	}
}

// onReceive takes the first reply to a packet.
func (e *echoes) onReceive(packet *ping.Packet) {
	rtt := time.Since(e.sentAt[packet.Seq]) // go-ping has seen to it that this was sent
	// go-ping's own figure begins before the packet is sent, ours after; where the clock on the wall was
	// not set meanwhile, they hardly differ.
	if packet.Rtt > rtt && packet.Rtt < rtt+time.Millisecond {
		rtt = packet.Rtt
	}
	if rtt > e.wait {
		e.late++
		return
	}
	if e.received == 0 || rtt < e.min {
		e.min = rtt
	}
	e.max = max(e.max, rtt)
	e.sum += rtt
	e.received++
}

// average is of the replies received, of which there must be one.
func (e *echoes) average() time.Duration { return e.sum / time.Duration(e.received) }

// lossPercent is of all packets that should have been sent.
func (e *echoes) lossPercent() float64 {
	return 100 * float64(e.count-e.received) / float64(e.count)
}

// hostError says why this host, and not the target, may be to blame for what was lost: packets that it
// had no room for, or a process that got to run so late that replies waited for it, not it for them.
func (e *echoes) hostError(longest time.Duration) error {
	if e.sendError != nil && isShortage(e.sendError) {
		return shortageOf(e.sendError)
	}
	if over := e.took - longest - lingers; over > max(e.wait/2, 250*time.Millisecond) {
		return &hostError{"this process got to run " + over.Round(time.Millisecond).String() +
			" too late to tell what was lost from what it did not see in time. Lower concurrency, or look what else runs here"}
	}
	return nil
}
