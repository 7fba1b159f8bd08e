package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"unicode"

	"catpaw/internal/netif"
)

// checkTarget judges a name or an address. The literal of a name is not valid.
func checkTarget(target string) (literal netip.Addr, err error) {
	if literal, err = netip.ParseAddr(target); err == nil {
		return literal.Unmap(), nil
	}
	switch _, _, notPort := net.SplitHostPort(target); {
	case target == "":
		return literal, errors.New(`is empty; write a name or an address, as in "192.0.2.1"`)
	case strings.Contains(target, "://"):
		return literal, fmt.Errorf("%q is a URL: leave only the name of the host", target)
	case strings.HasPrefix(target, "["):
		return literal, fmt.Errorf("%q: an IPv6 address stands without brackets here, and without a port", target)
	case notPort == nil:
		return literal, fmt.Errorf("%q: ping knows no ports; leave out the port, or use the probe net", target)
	case strings.Contains(target, ":"):
		return literal, fmt.Errorf("%q is not an IPv6 address", target)
	case strings.HasPrefix(target, "-"):
		return literal, fmt.Errorf("%q: no host name begins with a hyphen", target)
	}
	if i := strings.IndexFunc(target, notInNames); i >= 0 {
		return literal, fmt.Errorf("%q: %q cannot be part of a host name", target, []rune(target[i:])[0])
	}
	return netip.Addr{}, nil
}

func notInNames(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("/\\@?#\"'`$&;|<>()*,%", r)
}

// sources are the addresses to send from, by the option interface. Without the option they are not valid,
// and the system chooses.
func (p *Probe) sources() (netif.Addrs, error) {
	if p.Interface == "" {
		return netif.Addrs{}, nil
	}
	addr, err := netip.ParseAddr(p.Interface)
	if err != nil {
		return netif.Lookup(p.Interface)
	}
	if addr = addr.Unmap(); addr.Is4() {
		return netif.Addrs{V4: addr}, nil
	}
	return netif.Addrs{V6: addr}, nil
}

// sourceFor is what to send from over one version of IP, "" for the system's choice.
func (r *round) sourceFor(v6 bool) (string, error) {
	addr := r.from.V4
	if v6 {
		addr = r.from.V6
	}
	switch {
	case r.Interface == "":
		return "", nil
	case !addr.IsValid():
		return "", fmt.Errorf("the interface %q has no %s address to ping from", r.Interface, version(v6))
	}
	return addr.String(), nil
}

// resolve finds the address of a target within timeout: of a name the first IPv4 address, or, where
// there is none, or ipv6 asks for it, the first IPv6 address. An IPv6 address is not asked for before
// it is needed: there are name servers that never answer that.
func (r *round) resolve(ctx context.Context, i int) (addr netip.Addr, err error) {
	if r.literal[i].IsValid() {
		return r.literal[i], nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout.Std())
	defer cancel()
	for _, v6 := range []bool{false, true} {
		if r.IPv6 && !v6 {
			continue
		}
		if _, noSource := r.sourceFor(v6); noSource != nil { // of no use then
			err = first(err, noSource)
			continue
		}
		addrs, failed := r.lookup(ctx, families[v6], r.Targets[i])
		if len(addrs) > 0 {
			return addrs[0].Unmap(), nil
		}
		found := r.whyNoAddress(failed, r.Targets[i])
		err = first(err, found)
		if !found.notFound { // there may be an IPv4 address: another one is not to be taken for it
			return addr, found
		}
	}
	return addr, err
}

var families = map[bool]string{false: "ip4", true: "ip6"}

func first(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// nameError is a name that leads to no address.
type nameError struct {
	name, why string
	notFound  bool // there is none; else nobody knows
}

func (e *nameError) Error() string { return "the name " + e.name + " cannot be resolved: " + e.why }

// whyNoAddress words why a lookup found nothing.
func (p *Probe) whyNoAddress(err error, name string) *nameError {
	none := "no such host"
	if p.IPv6 {
		none = "no such host with an IPv6 address"
	}
	var dns *net.DNSError
	var unsuitable *net.AddrError // it has addresses, of the other version
	switch {
	case err == nil, errors.As(err, &unsuitable), errors.As(err, &dns) && dns.IsNotFound:
		return &nameError{name, none, true}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &dns) && dns.IsTimeout:
		return &nameError{name, "no answer within " + p.Timeout.String(), false}
	case errors.As(err, &dns):
		return &nameError{name, dns.Err, false}
	}
	return &nameError{name, err.Error(), false}
}
