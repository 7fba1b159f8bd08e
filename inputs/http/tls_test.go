package http

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
	dir  string
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(10000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.file = a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) write(t testing.TB, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue makes a certificate for 127.0.0.1 and www.example, and its files.
func (a *authority) issue(t testing.TB, left time.Duration) (pair tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "www.example"},
		NotBefore: time.Now().Add(-999 * time.Hour), NotAfter: time.Now().Add(left),
		DNSNames: []string{"www.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		a.write(t, "cert.pem", "CERTIFICATE", der), a.write(t, "key.pem", "EC PRIVATE KEY", keyDER)
}

// tlsServer starts an HTTPS server; adjust may be nil.
func tlsServer(t testing.TB, pair tls.Certificate, handler http.HandlerFunc, adjust func(*tls.Config)) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if adjust != nil {
		adjust(s.TLS)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

const day = 24 * time.Hour

func TestCertificates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		left      time.Duration
		options   string // after tls_ca
		withoutCA bool
		failed    pipeline.Status
		reason    string
		cert      pipeline.Status
		text      string
		threshold string
	}{
		{name: "valid for long", left: 30 * day, failed: ok, cert: ok, text: "certificate expires", threshold: "72h"},
		{name: "expires soon", left: 2 * day, failed: ok, cert: bad, text: "- **seen**: a certificate that expires ", threshold: "72h"},
		{name: "days as threshold", left: 30 * day, failed: ok, cert: bad, text: "(in 30 days)", threshold: "31d"},
		{name: "expired", left: -2 * day, failed: bad, reason: "certificate has expired", cert: bad, text: "(2 days ago)", threshold: "72h"},
		{name: "expired, and not verified", left: -2 * day, options: "insecure_skip_verify = true", failed: ok, cert: bad, text: "expired", threshold: "72h"},
		{name: "of an unknown authority", left: 30 * day, withoutCA: true, failed: bad, reason: "unknown authority", cert: ok, text: "certificate expires", threshold: "72h"},
		{name: "of an unknown authority, expires soon", left: 2 * day, withoutCA: true, failed: bad, reason: "unknown authority", cert: bad, text: "test authority", threshold: "72h"},
		{name: "for another name", left: 30 * day, options: "tls_server_name = 'other.example'", failed: bad, reason: "other.example", cert: ok, threshold: "72h"},
		{name: "for the name asked for", left: 30 * day, options: "tls_server_name = 'www.example'", failed: ok, cert: ok, threshold: "72h"},
		{name: "not verified", left: 30 * day, withoutCA: true, options: "insecure_skip_verify = true", failed: ok, cert: ok, threshold: "72h"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			pair, _, _ := ca.issue(t, c.left+time.Minute)
			url := tlsServer(t, pair, says("well"), nil)
			options := c.options
			if !c.withoutCA {
				options += "\ntls_ca = '" + ca.file + "'"
			}
			events := pipetest.Gather(t, probe(t, "targets = ['%s']\n%s\nexpect.cert_expire_threshold = '%s'", url, options, c.threshold))
			e := want(t, events, checkFailed, c.failed, c.reason)
			if e := want(t, events, certExpires, c.cert, c.text); c.cert == bad && !strings.HasPrefix(e.Detail(), "seen: a certificate that expire") {
				t.Errorf("its one line: %q", e.Detail())
			}
			if days, _ := attr(e, "cert_expiry_days").(float64); days != c.left.Hours()/24 {
				t.Errorf("cert_expiry_days = %v", attr(e, "cert_expiry_days"))
			}
			if seconds, _ := attr(e, "tls_seconds").(float64); c.failed == ok && seconds <= 0 {
				t.Errorf("tls_seconds = %v", attr(e, "tls_seconds"))
			}
		})
	}
}

func TestWithoutAThresholdAnExpiredCertificateIsAFailedCheck(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	pair, _, _ := ca.issue(t, -time.Hour)
	events := pipetest.Gather(t, probe(t, "targets = ['%s']\ntls_ca = '%s'", tlsServer(t, pair, says("well"), nil), ca.file))
	if len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
	want(t, events, checkFailed, bad, "certificate has expired")
}

func TestTheCertificateIsThatOfTheTargetNotOfWhereItRedirects(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	fresh, _, _ := ca.issue(t, 300*day)
	stale, _, _ := ca.issue(t, -time.Hour)
	end := tlsServer(t, stale, says("there"), nil)
	start := tlsServer(t, fresh, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, end, http.StatusFound) }, nil)
	events := pipetest.Gather(t, probe(t, "targets = ['%s']\ntls_ca = '%s'\nexpect.cert_expire_threshold = '72h'", start, ca.file))
	want(t, events, checkFailed, bad, "certificate has expired", "redirected to**: "+end)
	want(t, events, certExpires, ok)
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	pair, certFile, keyFile := ca.issue(t, 30*day)
	url := tlsServer(t, pair, says("well"), func(c *tls.Config) {
		c.ClientAuth = tls.RequireAndVerifyClientCert
		c.ClientCAs = x509.NewCertPool()
		c.ClientCAs.AddCert(ca.cert)
	})
	want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\ntls_ca = '%s'\ntls_cert = '%s'\ntls_key = '%s'", url, ca.file, certFile, keyFile)), checkFailed, ok)
	events := pipetest.Gather(t, probe(t, "targets = ['%s']\ntls_ca = '%s'\nexpect.cert_expire_threshold = '72h'", url, ca.file))
	want(t, events, checkFailed, bad, "certificate required")
	want(t, events, certExpires, ok)
}

func TestUseTLSIsAcceptedAndNotNeeded(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	pair, _, _ := ca.issue(t, 30*day)
	url := tlsServer(t, pair, says("well"), nil)
	for _, line := range []string{"", "use_tls = true", "use_tls = false"} {
		want(t, pipetest.Gather(t, probe(t, "targets = ['%s']\n%s\ntls_ca = '%s'", url, line, ca.file)), checkFailed, ok)
	}
}

func TestAPlainServerBehindHTTPS(t *testing.T) {
	t.Parallel()
	url := strings.Replace(server(t, says("well")), "http:", "https:", 1)
	events := pipetest.Gather(t, probe(t, "targets = ['%s']\nexpect.cert_expire_threshold = '72h'", url))
	want(t, events, checkFailed, bad, "HTTP response to HTTPS client")
	want(t, events, certExpires, pipeline.Unknown, "no certificate was seen")
}

// tunnel is a proxy that connects as it is asked to.
func tunnel(w http.ResponseWriter, r *http.Request) {
	far, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, "no", http.StatusBadGateway)
		return
	}
	defer far.Close()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	io.WriteString(near, "HTTP/1.1 200 Connected\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(far, near)
		far.Close()
	})
	both.Go(func() {
		io.Copy(near, far)
		near.Close()
	})
	both.Wait()
}

func TestBehindAProxyTheCertificateIsTheTargets(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	fresh, _, _ := ca.issue(t, 300*day)
	stale, _, _ := ca.issue(t, day+time.Minute)
	target := tlsServer(t, stale, says("well"), nil)
	for name, proxy := range map[string]string{
		"http":  server(t, tunnel),
		"https": tlsServer(t, fresh, tunnel, nil),
	} {
		events := pipetest.Gather(t, probe(t, "targets = ['%s']\nhttp_proxy = '%s'\ntls_ca = '%s'\nexpect.cert_expire_threshold = '72h'", target, proxy, ca.file))
		e := want(t, events, certExpires, bad, "(in 1 days)")
		want(t, events, checkFailed, ok)
		if t.Failed() {
			t.Fatalf("%s proxy: %s", name, e.Description)
		}
	}
}

func TestAProxysExpiredCertificateIsNotTheTargets(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	stale, _, _ := ca.issue(t, -day)
	proxy := tlsServer(t, stale, tunnel, nil)
	events := pipetest.Gather(t, probe(t, "targets = ['https://far.example']\nhttp_proxy = '%s'\ntls_ca = '%s'\nexpect.cert_expire_threshold = '72h'", proxy, ca.file))
	want(t, events, checkFailed, bad, "certificate has expired", "through the proxy")
	want(t, events, certExpires, pipeline.Unknown)
}
