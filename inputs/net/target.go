package net

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	stdnet "net"
)

// checkAddress judges host:port; ":9090" means localhost, and is named so.
func checkAddress(protocol, target string) (string, error) {
	if strings.Contains(target, "://") {
		return "", fmt.Errorf(`%q is a URL, not host:port: leave out what is before "//" and after the port`, target)
	}
	host, port, err := stdnet.SplitHostPort(target)
	if err != nil {
		return "", fmt.Errorf(`%q is not host:port, as in "127.0.0.1:22" or "[::1]:22"`, target)
	}
	// Named ports are looked up in the host's list of services, which asks no network.
	if n, err := stdnet.LookupPort(protocol, port); err != nil || n < 1 {
		return "", fmt.Errorf("%q has no port between 1 and 65535", target)
	}
	if strings.HasPrefix(target, "[") {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", fmt.Errorf(`%q: only an IPv6 address stands in brackets`, target)
		}
	}
	if i := strings.IndexFunc(host, notInHosts); i >= 0 {
		return "", fmt.Errorf("%q: %q cannot be part of a host name", target, []rune(host[i:])[0])
	}
	if host == "" {
		return "localhost:" + port, nil
	}
	return target, nil
}

func notInHosts(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`/\@?#"'`, r)
}
