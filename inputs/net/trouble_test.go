//go:build unix

package net

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// until is a talk that says nothing and leaves when release is closed.
func until(release <-chan struct{}) func(stdnet.Conn) {
	return func(stdnet.Conn) { <-release }
}

// wantLivingFirst runs a probe and fails where a dead target is reported before so many living ones; the
// dead ones are released when the last living one was seen.
func wantLivingFirst(t *testing.T, p *Probe, living int, release chan<- struct{}) {
	t.Helper()
	var alive, dead atomic.Int64
	report := pipeline.NewReport(&pipeline.Run{Check: pipetest.Check(p)}, func(results []pipeline.Result) {
		switch r := results[0]; { // a target by itself
		case r.Event.Status != pipeline.Ok:
			dead.Add(1)
		case dead.Load() > 0:
			t.Error("a living target was reported after a dead one")
		case alive.Add(1) == int64(living):
			close(release)
		}
	})
	if err := p.Gather(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	if alive.Load() != int64(living) || int(dead.Load()) != len(p.Targets)-living {
		t.Errorf("%d living, %d dead of %d", alive.Load(), dead.Load(), len(p.Targets))
	}
}

func TestDeadTargetsHoldUpNobodyWhileThereIsRoomForThem(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	live, silent := serve(t, says("ready")), serve(t, until(release))
	var targets []string
	for i := range 1000 {
		target := live
		if i%50 == 7 {
			target = silent
		}
		targets = append(targets, target)
	}
	p := New()
	pipetest.Options(t, patient+`expect = "ready"`+fmt.Sprintf("\ntargets = [\"%s\"]", strings.Join(targets, `","`)), p)
	wantLivingFirst(t, p, 980, release)
}

func TestManyDeadTargetsHoldUpNobodyTheSecondTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	live, silent := serve(t, says("ready")), serve(t, until(release))
	p := New()
	pipetest.Options(t, fmt.Sprintf("concurrency = 2\ntimeout = 20\nread_timeout = 0.1\nexpect = 'ready'\ntargets = [%q, %q, %q, %q, %q]",
		silent, silent, silent, live, live), p)
	pipetest.Gather(t, p)
	p.ReadTimeout = config.Duration(20 * time.Second)
	wantLivingFirst(t, p, 2, release)
}

func TestAConnectThatHangs(t *testing.T) {
	t.Parallel()
	e := look(t, blackHole(t), "timeout = 0.2")
	want(t, e, pipeline.Warning, "cannot connect: timeout after 200ms", "**look further**: the host is down", "`nc -vz 127.0.0.1 ")
}

func TestStoppingEndsEveryWait(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]string{
		"while an answer is waited for": "expect = 'x'\nread_timeout = '1h'",
		"in the TLS handshake":          "tls = true\ntimeout = '1h'",
		"while sending":                 "read_timeout = '1h'\nsend = 'x'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release, reached := make(chan struct{}), make(chan struct{})
			p := New()
			target := serve(t, func(stdnet.Conn) { close(reached); <-release })
			pipetest.Options(t, fmt.Sprintf("targets = [%q]\n%s", target, options), p)
			if p.Send != "" {
				p.send = moreThanBuffersHold()
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-reached; cancel() }()
			events, end, err := pipeline.Look(ctx, pipetest.Check(p))
			close(release)
			if len(events) != 0 || !end.Incomplete[""] || err != nil {
				t.Errorf("%d events, %v, %v; the target is not to blame", len(events), end, err)
			}
		})
	}
}

func TestSendingHasTheReadTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	p := New()
	target := serve(t, until(release))
	pipetest.Options(t, fmt.Sprintf("targets = [%q]\ntimeout = 20\nread_timeout = 0.2\nsend = 'x'", target), p)
	p.send = moreThanBuffersHold()
	e := pipetest.Gather(t, p)[0]
	close(release)
	want(t, e, pipeline.Warning, "cannot send: timeout after 200ms")
}

// moreThanBuffersHold is what a peer that does not read cannot be sent whole.
func moreThanBuffersHold() []byte { return make([]byte, 64<<20) }

func TestAHostWithoutRoomForSocketsDoesNotBlameTheTarget(t *testing.T) {
	t.Parallel()
	p := New()
	pipetest.Options(t, "response_time = 9\ntargets = ['127.0.0.1:1', '127.0.0.1:2']", p)
	p.dialer.Control = func(string, string, syscall.RawConn) error { return syscall.EMFILE }
	events, end, err := pipetest.GatherEnd(t, p)
	pipetest.WantError(t, err, "too many open files", "ulimit -n")
	if end.Well || len(events) != 4 {
		t.Fatalf("%d events, %v", len(events), end)
	}
	for _, e := range events {
		want(t, e, pipeline.Unknown, "too many open files")
	}
}

func TestDescriptionsStayWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, options, piece string }{
		"an answer of NULs":        {strings.Repeat("\x00", 600), "expect = 'x'", `\x00"…, 600 bytes`},
		"a long answer":            {strings.Repeat("a", 600), "expect = 'x'", `"` + strings.Repeat("a", 512) + `"…, 600 bytes`},
		"a long expectation":       {"no", "expect = '" + strings.Repeat("b", 3000) + "'", `text "` + strings.Repeat("b", 150) + `"…`},
		"a long pattern":           {"no", "expect_regex = '" + strings.Repeat("c", 900) + "'", "bytes left out)/"},
		"all of it":                {strings.Repeat("\xff", 600), "expect = '" + strings.Repeat(`\xff`, 900) + "'\nexpect_regex = '" + strings.Repeat("ü", 900) + "'", `\xff"…, 600 bytes`},
		"an answer in other words": {"größer", "expect = 'x'", `"größer", 7 bytes`[:9]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := serve(t, func(conn stdnet.Conn) { io.WriteString(conn, c.answer) })
			e := look(t, target, patient+c.options)
			want(t, e, pipeline.Warning, c.piece, "- **took**: ", " ms")
			if n := len(e.Description); n > pipeline.MaxDescription {
				t.Errorf("%d bytes", n)
			}
		})
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	tcp, udp := New(), New()
	udp.Protocol = "udp"
	for _, c := range []struct {
		p    *Probe
		err  error
		want string
	}{
		{tcp, nil, ""},
		{tcp, errors.New("something else"), ""},
		{tcp, syscall.ECONNREFUSED, "db is up, but nothing listens on port 53: `ss -lntp` there shows what does"},
		{udp, syscall.ECONNREFUSED, "`ss -lnup`"},
		{tcp, syscall.EHOSTUNREACH, "no way to db"},
		{udp, context.DeadlineExceeded, "udp tells nothing"},
		{tcp, &stdnet.DNSError{Name: "db"}, "`getent hosts db`"},
	} {
		if got := c.p.hint("db:53", c.err); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%v: hint %q, want %q", c.err, got, c.want)
		}
	}
}

// expiredCert is a certificate for 127.0.0.1 that ran out two days ago.
func expiredCert(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old.example"}, IPAddresses: []stdnet.IP{stdnet.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-240 * time.Hour), NotAfter: time.Now().Add(-48 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestACertificateThatCannotBeVerifiedIsShownAndMeasured(t *testing.T) {
	t.Parallel()
	server := &tls.Config{Certificates: []tls.Certificate{expiredCert(t)}}
	target := serve(t, func(conn stdnet.Conn) { _ = tls.Server(conn, server).Handshake() })
	e := look(t, target, patient+"tls = true")
	want(t, e, pipeline.Warning, "TLS: ", "expired", "**certificate**: CN=old.example", "`openssl s_client -connect "+target)
	days := 0.0
	for _, a := range e.Attrs {
		if a.Key == "cert_expiry_days" {
			days = a.Value.(float64)
		}
	}
	if days > -1.9 || days < -2.1 {
		t.Errorf("attrs %v", e.Attrs)
	}
}

func TestResponseSecondsIsTheWholeTimeInBothAlerts(t *testing.T) {
	t.Parallel()
	events := gather(t, serve(t, nil), patient+"response_time = 20")
	check, slow := events[0], events[1]
	last := check.Attrs[len(check.Attrs)-1]
	if last != slow.Attrs[0] || last.Key != "response_seconds" {
		t.Errorf("%v and %v", check.Attrs, slow.Attrs)
	}
	if connect := check.Attrs[0].Value.(float64); last.Value.(float64) < connect {
		t.Errorf("whole %v, connect %v", last.Value, connect)
	}
	want(t, slow, pipeline.Ok, "within 20s", ", connect ")
}

// blackHole is an address on loopback whose backlog is full, so that connects to it hang.
func blackHole(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 4 { // fill it
		conn, err := stdnet.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("a full backlog does not hang connects here")
	return ""
}
