package hostile

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// insult is one way to treat a client, and what the client must make of it.
type insult struct {
	name             string
	do               talk
	want             verdict
	says             string        // a piece of the error
	endless          bool          // only the client's own timeout ends it
	waitMin, waitMax time.Duration // of RetryAfter
}

func cases() []insult {
	return append(append(statuses(), breaks()...), babble()...)
}

// answer sends a whole answer that echoes what it was asked, secrets and all.
func answer(status, header string) talk {
	return func(c *conversation) {
		for {
			r := c.request()
			if r == nil {
				return
			}
			echo := "<html>\r\n\x1b[31mcannot " + r.Method + " " + r.RequestURI + " " + r.Header.Get("Authorization") + " " + password + "\x00</html>"
			if c.say("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(echo), echo) != nil {
				return
			}
		}
	}
}

func statuses() []insult {
	inHalfAnHour := time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat)
	all := []insult{
		{name: "429 with Retry-After in seconds", do: answer("429 Too Many Requests", "Retry-After: 7\r\n"), want: again, says: "429", waitMin: 7 * time.Second, waitMax: 7 * time.Second},
		{name: "429 with Retry-After as a date", do: answer("429 Too Many Requests", "Retry-After: "+inHalfAnHour+"\r\n"), want: again, says: "429", waitMin: 25 * time.Minute, waitMax: 30 * time.Minute},
		{name: "429 with a Retry-After of thirty years", do: answer("429 Too Many Requests", "Retry-After: 999999999\r\n"), want: again, waitMin: time.Hour, waitMax: time.Hour},
		{name: "429 with a Retry-After of nonsense", do: answer("429 Too Many Requests", "Retry-After: -soon\r\n"), want: again},
		{name: "503 with Retry-After", do: answer("503 Service Unavailable", "Retry-After: 3\r\n"), want: again, says: "503", waitMin: 3 * time.Second, waitMax: 3 * time.Second},
		{name: "a status without a name", do: answer("599", ""), want: again, says: "599"},
		{name: "101, and then nothing", do: onRequest("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), want: again, says: "101"},
		{name: "201", do: answer("201 Created", ""), want: delivered},
		{name: "204 without a body", do: onRequest("HTTP/1.1 204 No Content\r\n\r\n"), want: delivered},
	}
	for _, status := range []int{401, 403, 404, 408, 425, 500, 502, 504} {
		text := http.StatusText(status)
		all = append(all, insult{name: text, do: answer(itoa(status)+" "+text, ""), want: again, says: itoa(status)})
	}
	for _, status := range []int{400, 413, 415, 422} {
		text := http.StatusText(status)
		all = append(all, insult{name: text, do: answer(itoa(status)+" "+text, ""), want: refused, says: itoa(status)})
	}
	return all
}

// onRequest says something to every request and keeps the connection.
func onRequest(text string) talk {
	return func(c *conversation) {
		for c.request() != nil && c.say("%s", text) == nil {
		}
	}
}

// once says something to one request and closes the connection.
func once(text string) talk {
	return func(c *conversation) {
		if c.request() != nil {
			c.say("%s", text)
		}
	}
}

// hang does nothing until the other side has gone.
func hang(c *conversation) { io.Copy(io.Discard, c.Conn) }

func breaks() []insult {
	return []insult{
		{name: "accepts and hangs", do: func(c *conversation) { <-c.closed }, want: again, says: "timeout", endless: true},
		{name: "reads the request and hangs", do: func(c *conversation) { c.request(); hang(c) }, want: again, says: "timeout", endless: true},
		{name: "answers slowly, byte by byte", do: drip("HTTP/1.1 200 OK\r\nX-Slow: "), want: again, says: "timeout", endless: true},
		{name: "answers 200 and then slowly", do: drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), want: judged, says: "timeout", endless: true},
		{name: "closes at once", do: func(*conversation) {}, want: again},
		{name: "resets at once", do: reset, want: again},
		{name: "closes before any answer", do: once(""), want: again, says: "closed"},
		{name: "closes in the headers", do: once("HTTP/1.1 200 OK\r\nContent-Le"), want: again},
		{name: "closes in the body of a 200", do: once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"re"), want: judged, says: "closed"},
		{name: "closes in a chunk of a 200", do: once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"r"), want: judged, says: "closed"},
		{name: "closes in the body of a 500", do: once("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf"), want: again, says: "500"},
		{name: "closes every connection after the answer", do: once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), want: delivered},
	}
}

// drip says something, then a byte every few milliseconds, for ever.
func drip(start string) talk {
	return func(c *conversation) {
		if c.request() == nil || c.say("%s", start) != nil {
			return
		}
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if c.say("a") != nil {
					return
				}
			case <-c.closed:
				return
			}
		}
	}
}

func reset(c *conversation) {
	c.Conn.(*net.TCPConn).SetLinger(0)
}

// flood says something, then more and more of it until the other side has had enough.
func flood(start, more string) talk {
	return func(c *conversation) {
		if c.request() == nil {
			return
		}
		block := strings.Repeat(more, 16<<10/len(more))
		for err := c.say("%s", start); err == nil; err = c.say("%s", block) {
		}
	}
}

func babble() []insult {
	return []insult{
		{name: "an endless body of a 200", do: flood("HTTP/1.1 200 OK\r\n\r\n", "lorem ipsum "), want: delivered},
		{name: "an endless body of a 500", do: flood("HTTP/1.1 500 Oops\r\n\r\n", "lorem ipsum "), want: again, says: "500"},
		{name: "endless headers", do: flood("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"), want: again},
		{name: "an endless header line", do: flood("HTTP/1.1 200 OK\r\nX-More: ", "more"), want: again},
		{name: "endless interim answers", do: flood("", "HTTP/1.1 103 Early Hints\r\n\r\n"), want: again},
		{name: "garbage instead of HTTP", do: once("\x00\x01\x1b[31m" + strings.Repeat("\xff", 999) + "\r\n\r\n"), want: again},
		{name: "another protocol, speaking first", do: func(c *conversation) { c.say("SSH-2.0-OpenSSH_9.9\r\n"); c.request() }, want: again},
		{name: "a second answer that nobody asked for", do: onRequest("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), want: delivered},
		{name: "two different lengths", do: once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), want: again},
		{name: "a body that says gzip and is none", do: onRequest("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"), want: delivered},
	}
}
