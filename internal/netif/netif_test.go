package netif

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loopback names the loopback interface of this host.
func loopback(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range all {
		if device.Flags&net.FlagLoopback != 0 && device.Flags&net.FlagUp != 0 {
			return device.Name
		}
	}
	t.Skip("this host has no loopback interface")
	return ""
}

func TestAddressOfTheLoopback(t *testing.T) {
	t.Parallel()
	addr, err := LocalAddr(loopback(t), false)
	if err != nil || !addr.IsLoopback() || !addr.Is4() {
		t.Errorf("%v, %v", addr, err)
	}
	if addr, err := LocalAddr(loopback(t), true); err == nil && addr != netip.IPv6Loopback() {
		t.Errorf("IPv6: %v", addr)
	}
}

func TestAMissingInterfaceIsNamed(t *testing.T) {
	t.Parallel()
	_, err := LocalAddr("nosuch0", false)
	if err == nil || !strings.Contains(err.Error(), `no interface "nosuch0"`) {
		t.Errorf("error: %v", err)
	}
}

func TestWhichAddressIsTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		ips    []string
		v4, v6 string
	}{
		{"the first of each family", []string{"10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"}, "10.0.0.1", "2001:db8::1"},
		{"a global address before a link-local one", []string{"fe80::1", "2001:db8::1", "fe80::2"}, "", "2001:db8::1"},
		{"a link-local one, with its zone, for want of better", []string{"fe80::1"}, "", "fe80::1%eth0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addrs := Addrs{Name: "eth0"}
			for _, ip := range c.ips {
				addrs.take(net.ParseIP(ip))
			}
			if text(addrs.V4) != c.v4 || text(addrs.V6) != c.v6 {
				t.Errorf("%v", addrs)
			}
		})
	}
}

func text(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

func TestFamiliesToTry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		network, host string
		want          []int
	}{
		{"tcp", "example.org", []int{4, 6}},
		{"tcp", "10.0.0.1", []int{4}},
		{"tcp", "::1", []int{6}},
		{"tcp4", "example.org", []int{4}},
		{"tcp6", "example.org", []int{6}},
	} {
		if got := families(c.network, c.host); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %v", c.network, c.host, got)
		}
	}
}

func TestDialLeavesFromTheInterface(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addrs, err := Lookup(loopback(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := addrs.Dial(t.Context(), &net.Dialer{}, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if local := conn.LocalAddr().(*net.TCPAddr); !local.IP.Equal(addrs.V4.AsSlice()) {
		t.Errorf("connected from %s", local)
	}
}

func TestDialSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	addrs := Addrs{Name: "eth0", V4: netip.MustParseAddr("127.0.0.1")}
	_, err := addrs.Dial(t.Context(), &net.Dialer{}, "tcp", "[::1]:80")
	if err == nil || !strings.Contains(err.Error(), `"eth0" has no IPv6 address`) {
		t.Errorf("error: %v", err)
	}
	if _, err := addrs.Dial(t.Context(), &net.Dialer{}, "tcp", "no port"); err == nil {
		t.Error("an address without a port was dialled")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := addrs.Dial(ended, &net.Dialer{}, "tcp", "127.0.0.1:1"); err == nil {
		t.Error("dialled after the end")
	}
}
