//go:build unix

package hostile

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// reserve binds a port without listening on it: connections are refused and nobody else can have it.
// begin starts to listen.
func reserve(t *testing.T) (address string, begin func() net.Listener) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	syscall.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "reserved port")
	t.Cleanup(func() { file.Close() })
	must(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	must(t, err)
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port), func() net.Listener {
		t.Helper()
		must(t, syscall.Listen(fd, 16))
		l, err := net.FileListener(file)
		must(t, err)
		return l
	}
}
