package ping

import (
	"strings"
	"testing"
	"time"

	"catpaw/pipeline/pipetest"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	p := New(testSockets)
	if err := p.Init(); err != nil {
		t.Fatal(err)
	}
	if p.Count != 5 || p.PingInterval.Std() != 200*time.Millisecond || p.Timeout.Std() != 3*time.Second || p.Size != 56 ||
		p.Concurrency != 100 || p.LossGe != 100 || p.RTTGe != 0 || p.IPv6 {
		t.Errorf("%+v", p)
	}
}

func TestWrongOptionsAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		pieces     []string
	}{
		{"an empty target", "targets = ['']", []string{"targets[0]", "is empty"}},
		{"the second of several targets", "targets = [\n'good.example',\n'https://bad.example',\n]", []string{"test.toml:3", "targets[1]", "is a URL"}},
		{"a target with a port", "targets = ['good.example:80']", []string{"ping knows no ports", "net"}},
		{"an IPv6 address in brackets", "targets = ['[::1]']", []string{"without brackets"}},
		{"an IPv6 address that is none", "targets = ['::12345']", []string{"not an IPv6 address"}},
		{"a target with a blank", "targets = ['a b']", []string{`' ' cannot be part`}},
		{"a target that would be an option of ping", "targets = ['-f']", []string{"hyphen"}},
		{"a target that would be more of a command", "targets = ['a;b']", []string{`';' cannot be part`}},
		{"two in one", "targets = ['a,b']", []string{`',' cannot be part`}},
		{"targets of another type", "targets = 'a'", []string{"targets", "an array"}},
		{"no packets", "count = 0", []string{"count", "not between 1 and 10000"}},
		{"too many packets", "count = 10001", []string{"count", "not between 1 and 10000"}},
		{"a flood", "ping_interval = '0.5ms'", []string{"ping_interval", "1ms"}},
		{"no interval", "ping_interval = 0", []string{"ping_interval", "1ms"}},
		{"a long interval", "ping_interval = '2h'", []string{"ping_interval", "1h"}},
		{"no timeout", "timeout = 0", []string{"timeout", "more than 0"}},
		{"a long timeout", "timeout = '61m'", []string{"timeout", "at most"}},
		{"a negative timeout", "timeout = -1", []string{"timeout", "out of range"}},
		{"packets too small", "size = 23", []string{"size", "not between 24 and 65507"}},
		{"packets too large", "size = 65508", []string{"size", "not between 24 and 65507"}},
		{"an interface of another type", "interface = 1", []string{"interface", "a string"}},
		{"ipv6 of another type", "ipv6 = 6", []string{"ipv6", "true or false"}},
		{"a threshold that is always reached", "alert_if_packet_loss_percent_ge = 0", []string{"alert_if_packet_loss_percent_ge", "above 0"}},
		{"a negative threshold", "alert_if_packet_loss_percent_ge = -1.5", []string{"alert_if_packet_loss_percent_ge", "-1.5"}},
		{"a threshold that is never reached", "alert_if_packet_loss_percent_ge = 100.1", []string{"alert_if_packet_loss_percent_ge", "up to 100"}},
		{"a threshold as text", "alert_if_packet_loss_percent_ge = '50%'", []string{"alert_if_packet_loss_percent_ge", "a number"}},
		{"a slowness that is lost", "timeout = 2\nalert_if_rtt_ge = 2", []string{"test.toml:2", "alert_if_rtt_ge", "never reached"}},
		{"a negative slowness", "alert_if_rtt_ge = -1", []string{"alert_if_rtt_ge", "out of range"}},
		{"no concurrency", "concurrency = 0", []string{"concurrency", "not between 1 and 10000"}},
		{"an unknown option", "packets = 3", []string{"unknown option"}},
		{"all at once", "count = 0\nsize = 0\ntimeout = 0\ntargets = ['a b']", []string{"test.toml:1", "test.toml:2", "test.toml:3", "test.toml:4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pipetest.WantError(t, pipetest.TryOptions(c.text, New(testSockets)), c.pieces...)
		})
	}
}

func TestGoodTargets(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"localhost", "a_b.example.org", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "müller.example", "example.org.", "1.2.3"} {
		if _, err := checkTarget(target); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestTheWorstCase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want time.Duration
	}{
		{"targets = []", 0},
		{"targets = ['a']", 3*time.Second + 800*time.Millisecond + 3*time.Second + lingers},
		{"targets = ['a', 'b']\nconcurrency = 1\ncount = 1\ntimeout = 1", 2 * (2*time.Second + lingers)},
		{"targets = ['a', 'b']\nsize = 65507\ncount = 1\ntimeout = 1", 2 * (2*time.Second + lingers)},
	} {
		p := New(testSockets)
		pipetest.Options(t, c.text, p)
		if got := p.MaxGather(); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	keys := func(text string) string {
		p := New(testSockets)
		pipetest.Options(t, text, p)
		var all []string
		for _, key := range p.Keys() {
			all = append(all, key.String())
		}
		return strings.Join(all, "; ")
	}
	if got := keys("targets = ['a', '::1']"); got != "check=ping check target=a; check=ping check target=::1" {
		t.Error(got)
	}
	if got := keys("targets = ['a']\nalert_if_rtt_ge = 1"); got != "check=ping check target=a; check=ping response too slow target=a" {
		t.Error(got)
	}
}
