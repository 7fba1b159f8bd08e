package pipetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreePorts returns ports on loopback that nobody uses now, each another: they are given back only when all are found.
// They lie below those that systems give to whoever connects (ip(7), ip_local_port_range): who begins to listen later, or
// is away for a while, must find its own free, and a port where nobody is to listen must stay so.
func FreePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))); err == nil {
			defer l.Close()
			ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		}
	}
	t.Fatal("no free ports")
	return nil
}

// FreeAddress is one of these.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", FreePorts(t, 1)[0])
}
