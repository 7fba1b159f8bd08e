package kafka

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"catpaw/outputs/internal/hostile"
	"catpaw/pipeline/pipetest"
)

const short = 300 * time.Millisecond // for what never ends

// says answers every connection with the same bytes once it has heard something, and closes.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		c.Read(make([]byte, 1000))
		io.WriteString(c, text)
	}
}

// answers answers the first request with a frame of a size and a body, which need not fit.
func answers(size uint32, body string) func(net.Conn) {
	return func(c net.Conn) {
		request := make([]byte, 1000)
		if n, _ := c.Read(request); n < headSize {
			return
		}
		frame := append(binary.BigEndian.AppendUint32(nil, size), request[8:12]...) // its correlation id
		c.Write(append(frame, body...))
		io.Copy(io.Discard, c)
	}
}

func hang(c net.Conn) { io.Copy(io.Discard, c) }

func forEver(text string) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// drip says a byte every few milliseconds.
func drip(c net.Conn) {
	c.Read(make([]byte, 1000))
	c.Write([]byte{0, 0, 1})
	for {
		time.Sleep(10 * time.Millisecond)
		if _, err := c.Write([]byte{0}); err != nil {
			return
		}
	}
}

// TestHostileBrokers: after each insult the broker turns well, and the same output must deliver.
func TestHostileBrokers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		insult func(net.Conn)
		says   string
		hangs  bool // only the output's own timeout ends it
	}{
		"takes the connection and hangs":      {hang, "did not answer in time", true},
		"closes at once":                      {func(net.Conn) {}, "does it expect TLS (tls = true)?", false},
		"resets at once":                      {func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, "", false},
		"closes after the request":            {says(""), "does it expect TLS (tls = true)?", false},
		"closes in the size":                  {says("\x00\x00"), "closed the connection", false},
		"closes in the answer":                {answers(100, "\x00"), "did not answer", true},
		"answers byte by byte":                {drip, "did not answer", true},
		"talks without end":                   {forEver("lorem ipsum "), "does not speak Kafka's protocol", false},
		"says nothing but NUL, without end":   {forEver(strings.Repeat("\x00", 4096)), "does not speak Kafka's protocol", false},
		"speaks HTTP":                         {says("HTTP/1.1 400 Bad Request\r\n\r\n"), "speaks HTTP", false},
		"speaks SSH":                          {says("SSH-2.0-OpenSSH_9.9\r\n"), "does not speak Kafka's protocol", false},
		"expects TLS and says so":             {says("\x15\x03\x03\x00\x02\x02\x46"), "expects TLS: set tls = true", false},
		"answers another question":            {says("\x00\x00\x00\x0a\x7f\xff\xff\xff\x00\x00\x00\x00\x00\x00"), "none of Kafka's", false},
		"announces an answer of two GiB":      {answers(1<<31-1, ""), "does not speak Kafka's protocol", false},
		"announces two thousand million APIs": {answers(10, "\x00\x00\x7f\xff\xff\xff"), "none of Kafka's", false},
		"answers with too little":             {answers(6, "\x00\x00"), "none of Kafka's", false},
		"knows no API at all":                 {answers(10, "\x00\x00\x00\x00\x00\x00"), "", true},
		"does not know its own API":           {answers(10, "\x00\x23\x00\x00\x00\x00"), "Unsupported Version", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			o := open(t, f.options(""))
			f.set(func() { f.insult = c.insult })
			timeout := enough
			if c.hangs {
				timeout = short
			}
			begun := time.Now()
			wantAll(t, tryWithin(t, o, events(3), timeout), f.Addr().String(), c.says)
			if took := time.Since(begun); took > timeout+enough/2 {
				t.Errorf("Write took %v with a timeout of %v", took, timeout)
			}
			f.set(func() { f.insult = nil })
			send(t, o, events(3))
			send(t, o, events(3))
		})
	}
}

// TestALoginThatHangsEnds: kafka-go takes the deadline off the connection before it logs in.
func TestALoginThatHangsEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c := &conn{Conn: ours, broker: "b:1"}
		c.SetDeadline(time.Time{})
		_, err := c.Read(make([]byte, 10))
		pipetest.WantError(t, err, "b:1 did not answer in time")
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	good, bad := hostile.NewAuthority(t), hostile.NewAuthority(t)
	f := newFake(t)
	options := f.options("tls = true\ntls_ca = " + strconv.Quote(good.File))
	later, past := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)
	well := good.Server(t, "127.0.0.1", later)
	for says, server := range map[string]*tls.Config{
		"(name its authority in tls_ca)": bad.Server(t, "127.0.0.1", later),
		"expired":                        good.Server(t, "127.0.0.1", past),
		"127.0.0.2, not 127.0.0.1":       good.Server(t, "127.0.0.2", later),
	} {
		f.set(func() { f.tls = server })
		o := open(t, options)
		wantAll(t, try(t, o, events(2)), f.Addr().String(), "its certificate is not to be trusted", says)
		f.set(func() { f.tls = well })
		send(t, o, events(2))
	}
	wantAll(t, try(t, open(t, f.options("")), events(1)), f.Addr().String(), "tls = true")
	f.set(func() { f.tls = good.Server(t, "127.0.0.2", later) })
	send(t, open(t, options+"\ntls_server_name = '127.0.0.2'"), events(1))
	send(t, open(t, f.options("tls = true\ninsecure_skip_verify = true")), events(1))
	f.set(func() { f.insult = says("HTTP/1.1 400 Bad Request\r\n\r\n") })
	wantAll(t, try(t, open(t, options), events(1)), f.Addr().String(), "does not speak TLS")
	f.set(func() { f.insult = says("") })
	wantAll(t, try(t, open(t, options), events(1)), f.Addr().String(), "closed the connection during the TLS handshake")
	f.set(func() { f.insult = hang })
	wantAll(t, tryWithin(t, open(t, options), events(1), short), f.Addr().String(), "did not answer")
}
