package ping

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inside marks the child that has a network of its own.
const inside = "CATPAW_TEST_OWN_NETWORK"

// inOwnNetwork runs this test binary again, in a network of its own that has nothing but loopback and lets
// everybody ping, whatever this host allows. ok is false in that child, and where the kernel refuses such
// a network: then the tests run here, as far as this host lets them.
func inOwnNetwork() (code int, ok bool) {
	if os.Getenv(inside) != "" {
		setUp()
		return 0, false
	}
	runtime.LockOSThread() // the child dies with the thread that made it
	// Most tests wait for replies that do not come: many may do so at once, unless somebody asks for another number.
	child := exec.Command("/proc/self/exe", append([]string{"-test.parallel=16"}, os.Args[1:]...)...)
	child.Env = append(os.Environ(), inside+"=1")
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := child.Start(); err != nil {
		return 0, false
	}
	var exit *exec.ExitError
	if err := child.Wait(); err != nil && !errors.As(err, &exit) {
		return 1, true
	}
	return child.ProcessState.ExitCode(), true
}

// setUp does what it can; tests find out what works.
func setUp() {
	_ = os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 0"), 0)
	_ = raise("lo", nil, nil)
}

// request is a struct ifreq.
type request struct {
	name [unix.IFNAMSIZ]byte
	data [24]byte
}

// raise gives an interface an address, where there is one, and sets it up.
func raise(device string, addr, mask []byte) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if addr != nil {
		if err := control(fd, unix.SIOCSIFADDR, inet(device, addr)); err != nil {
			return err
		}
		if err := control(fd, unix.SIOCSIFNETMASK, inet(device, mask)); err != nil {
			return err
		}
	}
	return setFlags(fd, device, unix.IFF_UP|unix.IFF_RUNNING)
}

func setFlags(fd int, device string, flags uint16) error {
	r := newRequest(device)
	*(*uint16)(unsafe.Pointer(&r.data)) = flags
	return control(fd, unix.SIOCSIFFLAGS, r)
}

func newRequest(device string) *request {
	r := &request{}
	copy(r.name[:], device)
	return r
}

func inet(device string, addr []byte) *request {
	r := newRequest(device)
	*(*uint16)(unsafe.Pointer(&r.data)) = unix.AF_INET
	copy(r.data[4:], addr)
	return r
}

func control(fd int, call uintptr, r *request) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), call, uintptr(unsafe.Pointer(r))); errno != 0 {
		return errno
	}
	return nil
}

// wire is a network of the test's own, behind a TUN device: answer is called, one packet at a time, with
// every echo request that comes to it, and the replies that it returns go back.
type wire struct {
	net    byte // 10.77.net.0/24
	device string
}

var errNoWire = errors.New("no TUN device may be made here")

func newWire(t testing.TB, net byte, answer func(request echoRequest) []echoRequest) *wire {
	t.Helper()
	w := &wire{net: net, device: "cattun" + string(rune('a'+net%26))}
	if os.Getenv(inside) == "" {
		t.Skip("the kernel lets this user make no network of its own (unprivileged user namespaces)")
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("%v: %v", errNoWire, err)
	}
	r := newRequest(w.device)
	*(*uint16)(unsafe.Pointer(&r.data)) = unix.IFF_TUN | unix.IFF_NO_PI
	if err := control(fd, unix.TUNSETIFF, r); err != nil {
		unix.Close(fd)
		t.Skipf("%v: %v", errNoWire, err)
	}
	if err := raise(w.device, []byte{10, 77, net, 1}, []byte{255, 255, 255, 0}); err != nil {
		unix.Close(fd)
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "tun")
	done := make(chan struct{})
	go func() {
		defer close(done)
		serveWire(file, answer)
	}()
	t.Cleanup(func() { file.Close(); <-done })
	return w
}

func serveWire(file *os.File, answer func(echoRequest) []echoRequest) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := file.Read(buffer)
		if err != nil {
			return
		}
		if request, ok := parseRequest(buffer[:n]); ok {
			for _, one := range answer(request) {
				_, _ = file.Write(one.reply())
			}
		}
	}
}

// cut takes the network down; what is sent into it afterwards fails.
func (w *wire) cut(t testing.TB) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = setFlags(fd, w.device, 0)
		unix.Close(fd)
	}
	if err != nil {
		t.Error(err)
	}
}

// echoRequest is an IPv4 packet with an ICMP echo request.
type echoRequest []byte

const headers = 20 + 8

func parseRequest(packet []byte) (echoRequest, bool) {
	const icmp, request = 1, 8
	if len(packet) < headers || packet[0] != 0x45 || packet[9] != icmp || packet[20] != request {
		return nil, false
	}
	return append(echoRequest(nil), packet...), true
}

// host is the last byte of the address that was pinged.
func (e echoRequest) host() byte { return e[19] }

// seq is the packet's number.
func (e echoRequest) seq() int { return int(e[26])<<8 | int(e[27]) }

// reply is what the pinged host would send back.
func (e echoRequest) reply() []byte {
	r := append([]byte(nil), e...)
	copy(r[12:16], e[16:20])
	copy(r[16:20], e[12:16])
	r[20], r[22], r[23] = 0, 0, 0
	sum := uint32(0)
	for i := 20; i < len(r); i += 2 {
		sum += uint32(r[i]) << 8
		if i+1 < len(r) {
			sum += uint32(r[i+1])
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	r[22], r[23] = byte(^sum>>8), byte(^sum)
	return r
}
