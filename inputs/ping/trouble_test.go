package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// lookUntil runs a probe and stops it when something came from begun.
func lookUntil(t *testing.T, p *Probe, begun <-chan struct{}) ([]*pipeline.Event, pipeline.RunEnd, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var waiting sync.WaitGroup
	waiting.Go(func() { <-begun; cancel() })
	defer waiting.Wait()
	return pipeline.Look(ctx, pipetest.Check(p))
}

func TestUnprivilegedIsPreferred(t *testing.T) {
	t.Parallel()
	either(t)
	var tried []string
	for _, c := range []struct {
		name    string
		refused map[string]error
		want    string
		raw     bool
	}{
		{"where both are allowed", nil, "udp4", false},
		{"unless it is refused", map[string]error{"udp4": syscall.EACCES}, "udp4 ip4:icmp", true},
		{"unless the kernel does not have it", map[string]error{"udp4": syscall.EPROTONOSUPPORT}, "udp4 ip4:icmp", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := New(testSockets)
			tried = nil
			p.try = func(network string) error { tried = append(tried, network); return c.refused[network] }
			way := p.findWay(false)
			if got := strings.Join(tried, " "); got != c.want || way.raw != c.raw || way.err != nil {
				t.Errorf("tried %s, then %+v", got, way)
			}
		})
	}
}

func TestWhichWayIsFoundOutOncePerRunAndVersion(t *testing.T) {
	t.Parallel()
	either(t)
	p := options(t, brief, addresses(t, 20)...)
	var tries atomic.Int64
	real := p.try
	p.try = func(network string) error { tries.Add(1); return real(network) }
	wantAllOk(t, pipetest.Gather(t, p), 20)
	perRun := tries.Load()
	wantAllOk(t, pipetest.Gather(t, p), 20)
	if perRun > 2 || tries.Load() != 2*perRun {
		t.Errorf("%d sockets were tried in the first run, %d in two", perRun, tries.Load())
	}
}

func TestAHostThatLetsNobodyPing(t *testing.T) {
	t.Parallel()
	p := options(t, "alert_if_rtt_ge = 1\n"+brief, "127.0.0.1", "127.0.0.2")
	refused := true
	real := p.try
	p.goos = "linux"
	p.try = func(network string) error {
		if refused {
			return os.NewSyscallError("socket", syscall.EACCES)
		}
		return real(network)
	}
	events, end, err := pipetest.GatherEnd(t, p)
	pipetest.WantError(t, err, "does not let catpaw ping", "permission denied", `sysctl -w net.ipv4.ping_group_range="0 2147483647"`, "CAP_NET_RAW", "setcap cap_net_raw+ep")
	if end.Well || len(events) != 4 {
		t.Fatalf("%d events, %v", len(events), end)
	}
	for _, e := range events {
		want(t, e, pipeline.Unknown)
		wantAttrs(t, e, "")
	}
	want(t, events[0], pipeline.Unknown, "this host could not look: ", "ping_group_range")

	either(t)
	refused = false // it may change while we run
	for _, e := range pipetest.Gather(t, p) {
		want(t, e, pipeline.Ok)
	}
}

func TestTheRemedyFitsTheSystem(t *testing.T) {
	t.Parallel()
	for goos, piece := range map[string]string{"linux": "CAP_NET_RAW", "windows": "administrator", "darwin": "administrator"} {
		p := New(testSockets)
		p.goos = goos
		pipetest.WantError(t, p.refused(syscall.EACCES, syscall.EPERM), piece)
	}
}

func TestAHostWithoutRoomForSocketsDoesNotBlameTheTarget(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"udp4", "ip4:icmp"} {
		p := options(t, "", "127.0.0.1")
		p.try = func(network string) error {
			if network == at {
				return os.NewSyscallError("socket", syscall.EMFILE)
			}
			return syscall.EACCES
		}
		events, end, err := pipetest.GatherEnd(t, p)
		pipetest.WantError(t, err, "too many open files", "ulimit -n")
		if end.Well || len(events) != 1 {
			t.Fatalf("%d events, %v", len(events), end)
		}
		want(t, events[0], pipeline.Unknown, "too many open files")
	}
}

func TestAHostWithoutIPv6(t *testing.T) {
	t.Parallel()
	p := options(t, "", "::1")
	p.try = func(string) error { return os.NewSyscallError("socket", syscall.EAFNOSUPPORT) }
	want(t, pipetest.Gather(t, p)[0], pipeline.Warning, "this host does not speak IPv6")
}

func TestErrorsBeforeAnythingWasSent(t *testing.T) {
	t.Parallel()
	socket := func(errno error) error { return os.NewSyscallError("socket", errno) }
	for _, c := range []struct {
		err  error
		host bool
	}{
		{nil, false},
		{socket(syscall.EMFILE), true},
		{socket(syscall.EACCES), true},
		{&net.OpError{Op: "listen", Err: socket(syscall.EPERM)}, true},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.EPERM)}, false}, // a firewall
		{&net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.ENOBUFS)}, true},
		{os.NewSyscallError("bind", syscall.EADDRNOTAVAIL), false},
	} {
		if got := isHost(asHostError(c.err)); got != c.host {
			t.Errorf("%v: this host's fault: %v, want %v", c.err, got, c.host)
		}
	}
}

func TestPacketsThatThisHostHadNoRoomForBlameNobody(t *testing.T) {
	t.Parallel()
	e := &echoes{count: 2, wait: time.Second}
	e.Fatalf("sending packet: %s", &net.OpError{Op: "write", Err: syscall.ENOBUFS})
	e.Fatalf("processing received packet: %s", errors.New("not ours"))
	if e.unsent != 1 {
		t.Errorf("%d unsent", e.unsent)
	}
	pipetest.WantError(t, e.hostError(time.Hour), "no buffer space", "Lower concurrency")
}

func TestRawIdentifiersAreUniqueAndLimited(t *testing.T) {
	t.Parallel()
	ids := newRawSockets(maxRaw)
	all, err := ids.take(t.Context(), maxRaw)
	slices.Sort(all)
	if err != nil || len(slices.Compact(slices.Clone(all))) != 32 || all[0] < 0 || all[31] > 0xffff {
		t.Errorf("%v, %v", all, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ids.give(all[:3])
	for _, n := range []int{4, 1} { // the first gives back what it took
		if _, err := ids.take(ctx, n); err == nil && n == 4 {
			t.Error("got more than there are")
		}
	}
	if len(ids.free) < 2 {
		t.Errorf("%d are free", len(ids.free))
	}
}

func TestChecksShareTheRawSockets(t *testing.T) {
	t.Parallel()
	if one, other := New(testSockets), New(testSockets); one.raw != other.raw || cap(one.raw.free) != 32 {
		t.Error("each check has its own")
	}
	for size, raws := range map[int]int{24: 1, 56: 1, 118: 1, 119: 2, 1472: 3, 5000: 8, maxSize: 32} {
		p := New(testSockets)
		if p.Size = size; p.raws() != raws {
			t.Errorf("a ping of %d bytes takes the room of %d, want %d", size, p.raws(), raws)
		}
	}
}

func TestARunThatFindsNoRawSocketSaysSo(t *testing.T) {
	t.Parallel()
	p := options(t, "", "127.0.0.1")
	p.try = func(network string) error {
		if strings.HasPrefix(network, "udp") {
			return syscall.EACCES
		}
		return nil
	}
	p.raw = newRawSockets(1)
	if _, err := p.raw.take(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	events, end, err := pipeline.Look(ctx, pipetest.Check(p))
	pipetest.WantError(t, err, "held all raw sockets", "ping_group_range")
	if len(events) != 0 || !end.Incomplete[""] {
		t.Errorf("%d events, %v", len(events), end)
	}
}

// names is a fake of the name service: by name, "4" and "6" for the versions that it has an address of.
func names(t *testing.T, p *Probe, has map[string]string) {
	p.lookup = func(_ context.Context, network, host string) ([]netip.Addr, error) {
		if !strings.Contains(has[host], strings.TrimPrefix(network, "ip")) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return []netip.Addr{map[string]netip.Addr{"ip4": netip.MustParseAddr("::ffff:127.0.0.1"), "ip6": netip.IPv6Loopback()}[network]}, nil
	}
}

func TestIPv6ReallyChooses(t *testing.T) {
	t.Parallel()
	either(t)
	for _, c := range []struct {
		name, has, options string
		status             pipeline.Status
		piece              string
	}{
		{"IPv4 first", "46", "", pipeline.Ok, "db (127.0.0.1)"},
		{"IPv4 first, said explicitly", "46", "ipv6 = false", pipeline.Ok, "db (127.0.0.1)"},
		{"IPv6 for want of IPv4", "6", "", pipeline.Ok, "db (::1)"},
		{"IPv6 where asked", "46", "ipv6 = true", pipeline.Ok, "db (::1)"},
		{"never IPv4 then", "4", "ipv6 = true", pipeline.Warning, "the name db cannot be resolved: no such host with an IPv6 address"},
		{"neither", "", "", pipeline.Warning, "the name db cannot be resolved: no such host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(c.piece, "::1") {
				needV6(t)
			}
			p := options(t, brief+c.options, "db")
			names(t, p, map[string]string{"db": c.has})
			e := pipetest.Gather(t, p)[0]
			want(t, e, c.status, c.piece)
			if c.status != pipeline.Ok {
				want(t, e, c.status, "`getent ahosts db`")
			}
			if e.Labels.Get("target") != "db" {
				t.Errorf("labels %s", e.Labels)
			}
		})
	}
}

func TestALiteralStaysWhatItIs(t *testing.T) {
	t.Parallel()
	either(t)
	p := options(t, brief+"ipv6 = true", "127.0.0.1", "::1")
	if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0], `targets[0]: "127.0.0.1" is an IPv4 address`) {
		t.Errorf("warnings %q", w)
	}
	want(t, pipetest.Find(t, pipetest.Gather(t, p), "ping check", "127.0.0.1"), pipeline.Ok)
	if w := options(t, "", "127.0.0.1", "::1").Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
}

func TestANameServerThatFailsIsNotTakenForAMissingAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		piece string
	}{
		"it is broken":          {&net.DNSError{Err: "server misbehaving", Name: "db"}, "resolved: server misbehaving"},
		"it is silent":          {&net.DNSError{Err: "i/o timeout", Name: "db", IsTimeout: true}, "resolved: no answer within 3s"},
		"something else":        {errors.New("odd"), "resolved: odd"},
		"of the other version":  {&net.AddrError{Err: "no suitable address found", Addr: "db"}, "resolved: no such host"},
		"nothing, but no error": {nil, "resolved: no such host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := options(t, "", "db")
			asked := 0
			p.lookup = func(context.Context, string, string) ([]netip.Addr, error) { asked++; return nil, c.err }
			want(t, pipetest.Gather(t, p)[0], pipeline.Warning, c.piece)
			if notFound := strings.Contains(c.piece, "no such host"); notFound != (asked == 2) {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestNamesHaveADeadline(t *testing.T) {
	t.Parallel()
	resolver := silentResolver(t)
	p := options(t, "timeout = 0.2\nalert_if_rtt_ge = 0.1", "db.example.org")
	p.lookup = resolver.LookupNetIP
	events := pipetest.Gather(t, p)
	want(t, events[0], pipeline.Warning, "the name db.example.org cannot be resolved: no answer within 200ms", "getent")
	want(t, events[1], pipeline.Unknown)

	p.Timeout = config.Duration(time.Hour) // and they end with the run
	asked := make(chan struct{}, 10)
	p.lookup = func(ctx context.Context, network, host string) ([]netip.Addr, error) {
		asked <- struct{}{}
		return resolver.LookupNetIP(ctx, network, host)
	}
	if events, end, err := lookUntil(t, p, asked); len(events) != 0 || !end.Incomplete[""] || err != nil {
		t.Errorf("%d events, %v, %v", len(events), end, err)
	}
}

// silentResolver asks a name server that never answers.
func silentResolver(t *testing.T) *net.Resolver {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 100) // Go leaves them open for seconds after the lookup was given up
	t.Cleanup(func() {
		silent.Close()
		for len(conns) > 0 {
			(<-conns).Close()
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "udp4", silent.LocalAddr().String())
		if err == nil {
			conns <- conn
		}
		return conn, err
	}}
}

func TestInterfacesThatWillNotDo(t *testing.T) {
	t.Parallel()
	either(t)
	for name, c := range map[string]struct{ option, target, piece string }{
		"one that is not there":                    {"nosuch0", "127.0.0.1", `there is no interface "nosuch0"`},
		"an address that no interface has":         {"192.0.2.77", "127.0.0.1", "cannot ping from 192.0.2.77: "},
		"an address of the other version":          {"::1", "127.0.0.1", `the interface "::1" has no IPv4 address`},
		"an address of the other version, of name": {"127.0.0.1", "v6only", "no such host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := options(t, fmt.Sprintf("%sinterface = %q", brief, c.option), c.target)
			names(t, p, map[string]string{"v6only": "6"})
			want(t, pipetest.Gather(t, p)[0], pipeline.Warning, c.piece)
		})
	}
}

func TestANameIsResolvedToWhatTheInterfaceReaches(t *testing.T) {
	t.Parallel()
	needV6(t)
	p := options(t, brief+"interface = '::1'", "db")
	names(t, p, map[string]string{"db": "46"})
	want(t, pipetest.Gather(t, p)[0], pipeline.Ok, "db (::1)")
}

func TestHints(t *testing.T) {
	t.Parallel()
	windows, linux := New(testSockets), New(testSockets)
	windows.goos, linux.goos = "windows", "linux"
	name := sight{problem: &nameError{name: "db"}}
	lost := sight{addr: netip.MustParseAddr("fe80::1%eth0"), echoes: &echoes{}}
	refused := sight{addr: netip.MustParseAddr("192.0.2.1"), problem: syscall.EPERM}
	for _, c := range []struct {
		p    *Probe
		s    sight
		want string
	}{
		{linux, name, "`getent ahosts db`"},
		{windows, name, "`nslookup db`"},
		{linux, lost, "`ping -c 5 fe80::1%eth0`"},
		{windows, lost, "`tracert -d fe80::1%eth0`"},
		{linux, refused, "`ip route get 192.0.2.1`"},
	} {
		if got := c.p.hint(&c.s); !strings.Contains(got, c.want) {
			t.Errorf("hint %q, want %q", got, c.want)
		}
	}
}
