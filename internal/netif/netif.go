// Package netif binds connections to a network interface: it finds the interface's addresses and
// dials from them.
package netif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Addrs are the addresses of an interface to send from. An address that is not valid is not there.
type Addrs struct {
	Name   string
	V4, V6 netip.Addr // V6 prefers a global address to a link-local one, which carries its zone
}

// Lookup finds the addresses of an interface that is up.
func Lookup(name string) (Addrs, error) {
	found := Addrs{Name: name}
	device, err := net.InterfaceByName(name)
	if err != nil {
		return found, fmt.Errorf("there is no interface %q on this host", name)
	}
	if device.Flags&net.FlagUp == 0 {
		return found, fmt.Errorf("the interface %q is down", name)
	}
	addrs, err := device.Addrs()
	if err != nil {
		return found, fmt.Errorf("cannot read the addresses of the interface %q: %w", name, err)
	}
	for _, addr := range addrs {
		if prefix, ok := addr.(*net.IPNet); ok {
			found.take(prefix.IP)
		}
	}
	if !found.V4.IsValid() && !found.V6.IsValid() {
		return found, fmt.Errorf("the interface %q has no address", name)
	}
	return found, nil
}

func (a *Addrs) take(ip net.IP) {
	addr, ok := netip.AddrFromSlice(ip)
	addr = addr.Unmap()
	switch {
	case !ok:
	case addr.Is4():
		if !a.V4.IsValid() {
			a.V4 = addr
		}
	case addr.IsLinkLocalUnicast():
		if !a.V6.IsValid() {
			a.V6 = addr.WithZone(a.Name)
		}
	case !a.V6.IsValid() || a.V6.IsLinkLocalUnicast():
		a.V6 = addr
	}
}

// LocalAddr returns the address of an interface to send from over IPv4 or IPv6.
func LocalAddr(name string, v6 bool) (netip.Addr, error) {
	addrs, err := Lookup(name)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, version := addrs.V4, 4
	if v6 {
		addr, version = addrs.V6, 6
	}
	if !addr.IsValid() {
		return netip.Addr{}, addrs.missing(version)
	}
	return addr, nil
}

func (a Addrs) missing(version int) error {
	return fmt.Errorf("the interface %q has no IPv%d address", a.Name, version)
}

// Dial connects over TCP from the interface. network is tcp, tcp4 or tcp6; tcp tries what the target
// and the interface have in common, IPv4 first. The dialer is not changed.
func (a Addrs) Dial(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, family := range families(network, host) {
		local := a.V4
		if family == 6 {
			local = a.V6
		}
		if !local.IsValid() {
			errs = append(errs, a.missing(family))
			continue
		}
		bound := *dialer
		bound.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
		conn, err := bound.DialContext(ctx, fmt.Sprintf("tcp%d", family), address)
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// families lists the versions of IP to try.
func families(network, host string) []int {
	literal, err := netip.ParseAddr(host)
	switch {
	case network == "tcp4", network == "tcp" && err == nil && literal.Unmap().Is4():
		return []int{4}
	case network == "tcp6", network == "tcp" && err == nil:
		return []int{6}
	}
	return []int{4, 6}
}
