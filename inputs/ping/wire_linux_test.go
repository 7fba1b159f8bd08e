package ping

import (
	"sync/atomic"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// Here the pinged hosts are ours: 10.77.N.x behind a TUN device. Only unprivileged sockets are used where it
// does not matter: each of them gets its own replies only, so these tests do not disturb each other.

func answers(r echoRequest) []echoRequest { return []echoRequest{r} }

func TestAllIsLost(t *testing.T) {
	t.Parallel()
	newWire(t, 1, func(echoRequest) []echoRequest { return nil })
	for name, raw := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := options(t, "count = 3\nping_interval = 0.01\ntimeout = 0.3\nalert_if_rtt_ge = 0.2", "10.77.1.2")
			allow(t, p, raw)
			events := pipetest.Gather(t, p)
			e := pipetest.Find(t, events, "ping check", "10.77.1.2")
			manner := "unprivileged"
			if raw {
				manner = "on a raw socket"
			}
			want(t, e, pipeline.Warning, "**target**: 10.77.1.2\n", "less than 100 % packet loss", "3 of 3 packets lost (100 %), waiting 300ms for each",
				"56 bytes every 10ms, "+manner, "`ping -c 3 10.77.1.2`", "`mtr -n 10.77.1.2`")
			if got := wantAttrs(t, e, countAttrs); got["packets_sent"] != 3 || got["packets_received"] != 0 || got["packet_loss_percent"] != 100.0 {
				t.Errorf("attrs %v", e.Attrs)
			}
			want(t, pipetest.Find(t, events, "ping response too slow", "10.77.1.2"), pipeline.Unknown, "no packet came back")
		})
	}
}

func TestTheThresholdOfLoss(t *testing.T) {
	t.Parallel()
	newWire(t, 2, func(r echoRequest) []echoRequest {
		if r.seq() == 1 || r.seq() == 3 {
			return nil
		}
		return []echoRequest{r}
	})
	for options, status := range map[string]pipeline.Status{
		"": pipeline.Ok, "40": pipeline.Warning, "40.1": pipeline.Ok, "0.5": pipeline.Warning, "100": pipeline.Ok,
	} {
		t.Run("at "+options, func(t *testing.T) {
			t.Parallel()
			text := "ping_interval = 0.01\ntimeout = 0.5\n"
			if options != "" {
				text += "alert_if_packet_loss_percent_ge = " + options
			}
			p := newOn(t, text, "10.77.2.2")
			e := pipetest.Gather(t, p)[0]
			want(t, e, status)
			if status != pipeline.Ok {
				want(t, e, status, "less than "+options+" % packet loss", "2 of 5 packets lost (40 %)", "**round trip**: min ")
			}
			if got := wantAttrs(t, e, allAttrs); got["packet_loss_percent"] != 40.0 {
				t.Errorf("attrs %v", e.Attrs)
			}
		})
	}
}

// newOn makes a probe that pings unprivileged.
func newOn(t *testing.T, text string, targets ...string) *Probe {
	p := options(t, text, targets...)
	allow(t, p, false)
	return p
}

func TestNoLossIsNoAlertWhateverTheThreshold(t *testing.T) {
	t.Parallel()
	newWire(t, 3, answers)
	p := newOn(t, brief+"alert_if_packet_loss_percent_ge = 0.001", "10.77.3.2")
	want(t, pipetest.Gather(t, p)[0], pipeline.Ok, "3 of 3")
}

func TestAReplyAfterItsWaitIsLostEvenIfOthersFollow(t *testing.T) {
	t.Parallel()
	var held []echoRequest
	newWire(t, 4, func(r echoRequest) []echoRequest {
		if r.seq() == 0 {
			held = append(held, r) // for 300 ms: until the next is sent
			return nil
		}
		return append([]echoRequest{r}, held...)
	})
	p := newOn(t, "count = 2\nping_interval = 0.3\ntimeout = 0.25\nalert_if_packet_loss_percent_ge = 50", "10.77.4.2")
	e := pipetest.Gather(t, p)[0]
	want(t, e, pipeline.Warning, "1 of 2 packets lost (50 %)")
	wantAttrs(t, e, allAttrs)
}

func TestEachPacketHasItsOwnWait(t *testing.T) {
	t.Parallel()
	var held []echoRequest
	newWire(t, 5, func(r echoRequest) []echoRequest {
		if held = append(held, r); r.seq() < 3 {
			return nil
		}
		return held
	})
	p := newOn(t, "count = 4\nping_interval = 0.1\ntimeout = 20\nalert_if_rtt_ge = 0.05", "10.77.5.2")
	events := pipetest.Gather(t, p)
	e := pipetest.Find(t, events, "ping check", "10.77.5.2")
	want(t, e, pipeline.Ok, "4 of 4")
	got := wantAttrs(t, e, allAttrs)
	if most := got["rtt_max_seconds"].(float64); most < 0.2 {
		t.Errorf("the first packet took three intervals, not %v s", most)
	}
	want(t, pipetest.Find(t, events, "ping response too slow", "10.77.5.2"), pipeline.Warning, "an average below 50ms", "4 of 4 packets")
}

func TestDuplicatesAndStrangersCountForNothing(t *testing.T) {
	t.Parallel()
	newWire(t, 6, func(r echoRequest) []echoRequest {
		if r.seq() == 2 {
			return nil
		}
		stranger := append(echoRequest(nil), r...)
		stranger[headers+10]++ // somebody else's mark
		stranger[27] = 2
		return []echoRequest{stranger, r, r, r}
	})
	p := newOn(t, "count = 3\nping_interval = 0.02\ntimeout = 0.5\nalert_if_packet_loss_percent_ge = 1", "10.77.6.2")
	e := pipetest.Gather(t, p)[0]
	want(t, e, pipeline.Warning, "1 of 3 packets lost (33.3 %)")
	if got := wantAttrs(t, e, allAttrs); got["packets_received"] != 2 {
		t.Errorf("attrs %v", e.Attrs)
	}
}

func TestARouteThatGoesMeanwhile(t *testing.T) {
	t.Parallel()
	var w *wire
	ready := make(chan struct{})
	w = newWire(t, 7, func(r echoRequest) []echoRequest {
		<-ready
		w.cut(t)
		return nil
	})
	close(ready)
	p := newOn(t, "count = 3\nping_interval = 0.1\ntimeout = 0.3", "10.77.7.2")
	e := pipetest.Gather(t, p)[0]
	want(t, e, pipeline.Warning, "3 of 3 packets lost", "could not be sent: network is unreachable")
	if got := wantAttrs(t, e, countAttrs); got["packets_sent"] != 1 {
		t.Errorf("attrs %v", e.Attrs)
	}
}

func TestNoRoute(t *testing.T) {
	t.Parallel()
	newWire(t, 8, answers) // so that the network is ours
	for name, raw := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := options(t, "alert_if_rtt_ge = 1", "192.0.2.1")
			allow(t, p, raw)
			events := pipetest.Gather(t, p)
			e := pipetest.Find(t, events, "ping check", "")
			want(t, e, pipeline.Warning, "cannot send: network is unreachable", "`ip route get 192.0.2.1`")
			wantAttrs(t, e, "")
			want(t, pipetest.Find(t, events, "ping response too slow", ""), pipeline.Unknown)
		})
	}
}

func TestItRecovers(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	newWire(t, 9, func(r echoRequest) []echoRequest {
		if !up.Load() {
			return nil
		}
		return []echoRequest{r}
	})
	p := newOn(t, "count = 1\ntimeout = 0.2", "10.77.9.2")
	want(t, pipetest.Gather(t, p)[0], pipeline.Warning)
	up.Store(true)
	p = newOn(t, "count = 1\ntimeout = 20", "10.77.9.2")
	want(t, pipetest.Gather(t, p)[0], pipeline.Ok)
}

func TestDeadTargetsHoldUpNobodyTheSecondTime(t *testing.T) {
	t.Parallel()
	newWire(t, 10, func(r echoRequest) []echoRequest {
		if r.host() < 100 {
			return nil
		}
		return []echoRequest{r}
	})
	p := newOn(t, "concurrency = 2\ncount = 1\ntimeout = 0.2", "10.77.10.2", "10.77.10.3", "10.77.10.100", "10.77.10.4", "10.77.10.101")
	var order []string
	for range 2 {
		order = nil
		for _, e := range pipetest.Gather(t, p) {
			order = append(order, e.Labels.Get("target"))
		}
	}
	for _, target := range order[:2] {
		if target != "10.77.10.100" && target != "10.77.10.101" {
			t.Errorf("looked at in the order %v", order)
		}
	}
}

func TestAnInterface(t *testing.T) {
	t.Parallel()
	var from atomic.Value
	w := newWire(t, 11, func(r echoRequest) []echoRequest {
		from.Store([4]byte(r[12:16]))
		return []echoRequest{r}
	})
	for name, raw := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, option := range []string{w.device, "10.77.11.1"} {
				p := options(t, brief+"interface = '"+option+"'", "10.77.11.2")
				allow(t, p, raw)
				want(t, pipetest.Gather(t, p)[0], pipeline.Ok)
				if from.Load() != [4]byte{10, 77, 11, 1} {
					t.Errorf("pinged from %v", from.Load())
				}
			}
		})
	}
	t.Run("of loopback cannot reach the network", func(t *testing.T) {
		p := newOn(t, "count = 1\ntimeout = 0.2\ninterface = '127.0.0.1'", "10.77.11.2")
		if e := pipetest.Gather(t, p)[0]; e.Status == pipeline.Ok {
			t.Errorf("%s", e.Description)
		}
	})
}

func TestTheWaitEndsWithTheRun(t *testing.T) {
	t.Parallel()
	requests := make(chan struct{}, 10)
	newWire(t, 12, func(echoRequest) []echoRequest { requests <- struct{}{}; return nil })
	p := newOn(t, "timeout = '1h'\ncount = 1\nalert_if_rtt_ge = 1", "10.77.12.2")
	events, end, err := lookUntil(t, p, requests)
	if len(events) != 0 || !end.Incomplete[""] || err != nil {
		t.Errorf("%d events, %v, %v; the target is not to blame", len(events), end, err)
	}
}

func TestABusyHostBlamesNobody(t *testing.T) {
	t.Parallel()
	newWire(t, 13, func(echoRequest) []echoRequest { return nil })
	p := newOn(t, "timeout = 0.2\ncount = 1\nalert_if_rtt_ge = 0.1", "10.77.13.2")
	e, err := p.echo(t.Context(), &sight{addr: p.literal[0]}, 0)
	if err != nil || e.lossPercent() != 100 {
		t.Fatal(e, err)
	}
	e.took += 5 * time.Second // as where the process was stopped
	pipetest.WantError(t, e.hostError(p.longest()), "too late", "Lower concurrency")
	if e.took -= 5 * time.Second; e.hostError(p.longest()+time.Minute) != nil {
		t.Error(e.hostError(p.longest()))
	}
}
