package net

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	stdnet "net"
)

// plain words an error without the addresses that the target's name already says. limit is the timeout
// that held.
func plain(err error, limit time.Duration) string {
	var dns *stdnet.DNSError
	var op *stdnet.OpError
	switch {
	case errors.As(err, &dns):
		return "the name " + dns.Name + " cannot be resolved: " + dns.Err
	case isTimeout(err):
		return "timeout after " + limit.String()
	case errors.Is(err, io.EOF):
		return "the peer closed the connection"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// whyNot words why the answer is not what was expected.
func (p *Probe) whyNot(n int, err error) string {
	switch {
	case n >= maxAnswer:
		return fmt.Sprintf("the expected text is not in the first %d bytes of the answer", maxAnswer)
	case isTimeout(err) && n == 0:
		return "no answer within " + p.ReadTimeout.String()
	case isTimeout(err):
		return "the expected text did not come within " + p.ReadTimeout.String()
	case p.Protocol == "udp" && errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: an ICMP message says that nobody listens on this port"
	case err != nil:
		return "cannot read: " + plain(err, p.ReadTimeout.Std())
	case n == 0:
		return "the connection was closed without an answer"
	}
	return "the connection was closed before the expected text came"
}

// shortages are failures of this host, not of the target: nobody saw how the target is.
var shortages = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

func isShortage(err error) bool { return isOneOf(err, shortages) }

func isOneOf(err error, causes []error) bool {
	for _, cause := range causes {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// hint says how to look further, "" where there is nothing to add.
func (p *Probe) hint(target string, err error) string {
	host, port, _ := stdnet.SplitHostPort(target)
	var dns *stdnet.DNSError
	var authority x509.UnknownAuthorityError
	var unverified *tls.CertificateVerificationError
	flag := "t"
	if p.Protocol == "udp" {
		flag = "u"
	}
	switch {
	case err == nil:
		return ""
	case errors.As(err, &dns):
		return "`getent hosts " + dns.Name + "` asks what this host asks"
	case errors.As(err, &authority):
		return "is tls_ca right? `openssl s_client -connect " + target + "` shows the chain"
	case errors.As(err, &unverified):
		return "`openssl s_client -connect " + target + "` shows the certificate"
	case errors.Is(err, syscall.ECONNREFUSED):
		return host + " is up, but nothing listens on port " + port + ": `ss -ln" + flag + "p` there shows what does"
	case isOneOf(err, []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH}):
		return "there is no way to " + host + " from here: `ip route get`"
	case isTimeout(err) && p.Protocol == "tcp":
		return "the host is down, a firewall drops packets, or the service hangs: `nc -vz " + host + " " + port + "`"
	case isTimeout(err):
		return "udp tells nothing about a lost datagram: the host may be down, a firewall may drop it, or the service ignores what was sent"
	}
	return ""
}
