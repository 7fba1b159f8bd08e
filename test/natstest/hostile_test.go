package natstest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	natsout "catpaw/outputs/nats"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const greeting = `INFO {"server_id":"x","version":"2.9.0","proto":1,"headers":true,"max_payload":1048576}` + "\r\n"

// TestHostileServers: whatever a server does, the write ends in time with an error that is none of the
// event's, and the next server in the list is used.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		talk func(net.Conn)
		says string
	}{
		"accepts and hangs":           {hang, ""},
		"closes at once":              {func(net.Conn) {}, ""},
		"resets at once":              {func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }, ""},
		"greets byte by byte":         {drip, ""},
		"closes in the greeting":      {say(greeting[:20]), ""},
		"greets without end":          {forEver("INFO ", "x"), "its greeting does not end"},
		"says NUL without end":        {forEver("", strings.Repeat("\x00", 4096)), "its greeting does not end"},
		"speaks HTTP, without end":    {forEver("", "HTTP/1.1 200 OK\r\n\r\n"), "seem to be NATS"},
		"speaks SSH":                  {say("SSH-2.0-OpenSSH_9.9\r\n"), "seem to be NATS"},
		"speaks TLS":                  {say("\x15\x03\x03\x00\x02\x02\x46"), ""},
		"greets with no JSON":         {say("INFO {what\r\n"), "no connection to"},
		"says only that it is wrong":  {say("-ERR 'maximum connections exceeded'\r\n"), ""},
		"greets and says no more":     {func(c net.Conn) { io.WriteString(c, greeting); hang(c) }, ""},
		"greets and closes":           {say(greeting), ""},
		"lets in and hangs":           {converse("PONG\r\n", ""), "did not confirm"},
		"lets in and talks nonsense":  {converse("PONG\r\n", "lorem ipsum\r\n"), ""},
		"lets in and stops":           {converse("PONG\r\n", "-ERR 'Stale Connection'\r\n"), ""},
		"announces a message of 2 GB": {converse("PONG\r\n", "MSG a 1 2000000000\r\nxx"), ""},
		"lets nobody in":              {converse("-ERR 'Authorization Violation'\r\n", ""), "the login is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := listen(t, c.talk)
			begun := time.Now()
			err := writeWithin(t, open(t, "nats://"+bad, ""), 500*time.Millisecond, event(1))[0]
			if pipeline.IsRefused(err) || time.Since(begun) > 10*time.Second {
				t.Errorf("after %s: %v", time.Since(begun), err)
			}
			pipetest.WantError(t, err, c.says)
			if strings.HasPrefix(name, "lets in") || strings.HasPrefix(name, "announces") {
				return // it is as good as any other server
			}
			good := serve(t, nil)
			o := natsout.New()
			pipetest.Options(t, fmt.Sprintf("servers = [%q, %q]", "nats://"+bad, good.ClientURL()), o)
			t.Cleanup(func() { o.Close() })
			wantDelivered(t, write(t, o, event(1)))
		})
	}
}

func hang(c net.Conn) { io.Copy(io.Discard, c) }

func say(text string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		hang(c)
	}
}

func forEver(first, more string) func(net.Conn) {
	more = strings.Repeat(more, 4096/len(more)+1)
	return func(c net.Conn) {
		io.WriteString(c, first)
		for {
			if _, err := io.WriteString(c, more); err != nil {
				return
			}
		}
	}
}

func drip(c net.Conn) {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for i := range len(greeting) {
		if _, err := io.WriteString(c, greeting[i:i+1]); err != nil {
			return
		}
		<-pause.C
	}
}

// converse greets, answers the first PING, and whatever is published.
func converse(toPing, toPublish string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, greeting)
		for lines, in := bufio.NewScanner(c), false; lines.Scan(); {
			switch line := lines.Bytes(); {
			case bytes.HasPrefix(line, []byte("PING")) && !in:
				in = true
				io.WriteString(c, toPing)
			case bytes.HasPrefix(line, []byte("HPUB")) || bytes.HasPrefix(line, []byte("PUB")):
				io.WriteString(c, toPublish)
			}
		}
	}
}

func listen(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); talk(conn) }()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}
