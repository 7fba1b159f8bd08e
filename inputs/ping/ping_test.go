package ping

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) {
	if code, ok := inOwnNetwork(); ok {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}

// testSockets are those of this process.
var testSockets = NewRawSockets()

// modes are the ways to ping, by the network that makes each impossible to the probe.
var modes = map[string]bool{"unprivileged": false, "on raw sockets": true}

// allow makes a probe ping in one way only, and skips the test where this host refuses it.
func allow(t testing.TB, p *Probe, raw bool) {
	t.Helper()
	network, real := networks[false][0], p.try
	if raw {
		network = networks[false][1]
	}
	if err := real(network); err != nil {
		t.Skipf("this host does not allow to ping so: %v (sysctl net.ipv4.ping_group_range, CAP_NET_RAW)", err)
	}
	p.try = func(network string) error {
		if strings.HasPrefix(network, "ip") != raw {
			return os.ErrPermission
		}
		return real(network)
	}
}

// either skips the test where this host lets nobody ping.
func either(t testing.TB) {
	t.Helper()
	if err := New(testSockets).findWay(false).err; err != nil {
		t.Skip(err)
	}
}

// needV6 skips the test where there is no IPv6 on loopback.
func needV6(t testing.TB) {
	t.Helper()
	either(t)
	p := New(testSockets)
	pipetest.Options(t, "targets = ['::1']\ncount = 1\ntimeout = 5", p)
	if e := pipetest.Gather(t, p)[0]; e.Status != pipeline.Ok {
		t.Skip("no IPv6 here: " + e.Description)
	}
}

// options makes a probe of TOML that pings some targets.
func options(t testing.TB, text string, targets ...string) *Probe {
	t.Helper()
	p := New(testSockets)
	pipetest.Options(t, fmt.Sprintf("targets = [\"%s\"]\n%s", strings.Join(targets, `","`), text), p)
	return p
}

// brief lets a test end soon where all goes well, and late where the machine is busy.
const brief = "count = 3\nping_interval = 0.02\ntimeout = 20\n"

func want(t testing.TB, e *pipeline.Event, status pipeline.Status, pieces ...string) {
	t.Helper()
	if e.Status != status {
		t.Errorf("status %v, want %v: %s", e.Status, status, e.Description)
	}
	for _, piece := range pieces {
		if !strings.Contains(e.Description, piece) {
			t.Errorf("description does not say %q: %s", piece, e.Description)
		}
	}
}

// wantAttrs fails unless the event has these attributes, in this order.
func wantAttrs(t testing.TB, e *pipeline.Event, names string) map[string]any {
	t.Helper()
	values := map[string]any{}
	var got []string
	for _, a := range e.Attrs {
		got = append(got, a.Key)
		values[a.Key] = a.Value
	}
	if strings.Join(got, " ") != names {
		t.Errorf("attrs %v, want %s", e.Attrs, names)
	}
	return values
}

const (
	countAttrs = "packets_sent packets_received packet_loss_percent"
	allAttrs   = countAttrs + " rtt_min_seconds rtt_avg_seconds rtt_max_seconds"
)

func TestAHostThatAnswers(t *testing.T) {
	t.Parallel()
	for name, raw := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := options(t, brief, "127.0.0.1")
			allow(t, p, raw)
			events := pipetest.Gather(t, p)
			if len(events) != 1 {
				t.Fatalf("%d events", len(events))
			}
			e := events[0]
			want(t, e, pipeline.Ok, "[MD]", "**target**: 127.0.0.1", "3 of 3 packets came back", "average ")
			if got := e.Labels.String(); got != "check=ping check target=127.0.0.1" {
				t.Errorf("labels %s", got)
			}
			got := wantAttrs(t, e, allAttrs)
			if got["packets_sent"] != 3 || got["packets_received"] != 3 || got["packet_loss_percent"] != 0.0 {
				t.Errorf("attrs %v", e.Attrs)
			}
			least, average, most := got["rtt_min_seconds"].(float64), got["rtt_avg_seconds"].(float64), got["rtt_max_seconds"].(float64)
			if least <= 0 || average < least || most < average || most > 20 {
				t.Errorf("attrs %v", e.Attrs)
			}
		})
	}
}

func TestCountTimesIntervalBeyondTheTimeoutIsNoLoss(t *testing.T) {
	t.Parallel()
	either(t)
	p := options(t, "count = 8\nping_interval = 0.1\ntimeout = 0.5", "127.0.0.1")
	want(t, pipetest.Gather(t, p)[0], pipeline.Ok, "8 of 8 packets came back")
}

func TestItEndsWithTheLastReply(t *testing.T) {
	t.Parallel()
	either(t)
	p := options(t, "count = 1\ntimeout = 50", "127.0.0.1")
	begun := time.Now()
	want(t, pipetest.Gather(t, p)[0], pipeline.Ok)
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestAnIPv6Address(t *testing.T) {
	t.Parallel()
	needV6(t)
	for name, raw := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := options(t, brief, "::1")
			allow(t, p, raw)
			want(t, pipetest.Gather(t, p)[0], pipeline.Ok, "**target**: ::1\n", "3 of 3 packets")
		})
	}
}

// Not in parallel with others: their replies, too, come into these raw sockets, whose buffers large ones fill.
func TestSizes(t *testing.T) {
	for name, raw := range modes {
		for _, size := range []int{minSize, 1472, maxSize} {
			t.Run(fmt.Sprintf("%d bytes, %s", size, name), func(t *testing.T) {
				p := options(t, brief+fmt.Sprintf("size = %d", size), "127.0.0.1")
				allow(t, p, raw)
				want(t, pipetest.Gather(t, p)[0], pipeline.Ok, "3 of 3 packets")
			})
		}
	}
}

// addresses are so many different ones of loopback.
func addresses(t testing.TB, n int) (all []string) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8")
	}
	for i := range n {
		all = append(all, fmt.Sprintf("127.0.%d.%d", i/250, i%250+1))
	}
	return all
}

func wantAllOk(t testing.TB, events []*pipeline.Event, n int) {
	t.Helper()
	if len(events) != n {
		t.Fatalf("%d events, want %d", len(events), n)
	}
	for _, e := range events {
		if e.Status != pipeline.Ok || e.Attrs[2].Value != 0.0 {
			t.Fatalf("%v: %s", e.Status, e.Description)
		}
	}
}

// Not in parallel with others: they would get all of these replies into their raw sockets, too.
func TestNoFalseLossAtAnyConcurrency(t *testing.T) {
	for _, c := range []struct {
		raw                        bool
		targets, concurrency, size int
	}{
		{false, 3, 1, 56}, {false, 21, 7, 56}, {false, 200, 100, 56}, {false, 500, 1000, 56}, {false, 300, pipeline.MaxConcurrency, 56}, {false, 30, 100, maxSize},
		{true, 3, 1, 56}, {true, 64, 100, 56}, {true, 64, pipeline.MaxConcurrency, 512}, {true, 10, 100, 1472}, {true, 3, 100, 5000}, {true, 2, 100, maxSize},
	} {
		t.Run(fmt.Sprintf("raw %v, concurrency %d, %d bytes", c.raw, c.concurrency, c.size), func(t *testing.T) {
			p := options(t, fmt.Sprintf("%sconcurrency = %d\nsize = %d", brief, c.concurrency, c.size), addresses(t, c.targets)...)
			allow(t, p, c.raw)
			wantAllOk(t, pipetest.Gather(t, p), c.targets)
		})
	}
}

func TestTheSlowAlertIsThereOnlyWhereAsked(t *testing.T) {
	t.Parallel()
	either(t)
	p := options(t, brief+"alert_if_rtt_ge = 10", "127.0.0.1")
	events := pipetest.Gather(t, p)
	want(t, pipetest.Find(t, events, "ping check", "127.0.0.1"), pipeline.Ok)
	slow := pipetest.Find(t, events, "ping response too slow", "127.0.0.1")
	want(t, slow, pipeline.Ok, "an average below 10s", "3 of 3")
	wantAttrs(t, slow, allAttrs)

	p = options(t, brief+"alert_if_rtt_ge = '1ns'", "127.0.0.1")
	events = pipetest.Gather(t, p)
	want(t, pipetest.Find(t, events, "ping check", "127.0.0.1"), pipeline.Ok)
	want(t, pipetest.Find(t, events, "ping response too slow", "127.0.0.1"), pipeline.Warning, "an average below 1ns", "**look further**: `ping -c 3 127.0.0.1`")
}

func TestStoppingEndsItSoon(t *testing.T) {
	t.Parallel()
	either(t)
	p := options(t, "count = 10000\nping_interval = '1h'\ntimeout = '1h'\nconcurrency = 2", "127.0.0.1", "127.0.0.1", "127.0.0.1")
	ctx, cancel := context.WithCancel(t.Context())
	try := p.try
	p.try = func(network string) error {
		defer cancel() // it is about to send
		return try(network)
	}
	events, end, err := pipeline.Look(ctx, pipetest.Check(p))
	if len(events) != 0 || !end.Incomplete[""] || err != nil {
		t.Errorf("%d events, %v, %v; the target is not to blame", len(events), end, err)
	}
}
