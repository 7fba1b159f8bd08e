//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline/pipetest"
)

const burst = 10_000 // events that a script prints at once

// BenchmarkBurst sends what a script prints at once, durably. Its time begins with the script.
func BenchmarkBurst(b *testing.B) {
	binary := binaryOf(b)
	const slow = 20 * time.Millisecond // of a sink
	through := func(b *testing.B, n int, latency time.Duration, options string) func() measure.Figures {
		return func() measure.Figures { return throughAgent(b, binary, n, latency, options) }
	}
	b.Run("SlowWebhook", func(b *testing.B) { // beside one POST after the other: of 200, their rate is that of all
		measure.Grow(b, burst, func(b *testing.B, n int) {
			measure.Compare(b, through(b, n, slow, ""), func() measure.Figures {
				figures := bareLoop(b, 200, 1, slow)
				delete(figures, "ms-cpu") // of 200 it is that of 200
				return figures
			})
		})
	})
	b.Run("Webhook", func(b *testing.B) {
		measure.Grow(b, burst, func(b *testing.B, n int) {
			measure.Compare(b, through(b, n, 0, ""), func() measure.Figures { return bareLoop(b, n, 32, 0) })
		})
	})
	b.Run("Batches", func(b *testing.B) { // beside a POST each, by a bare client
		measure.Grow(b, burst, func(b *testing.B, n int) {
			measure.Compare(b, through(b, n, 0, "batch = 1000"), func() measure.Figures { return bareLoop(b, n, 32, 0) })
		})
	})
	b.Run("BatchesBesideEach", func(b *testing.B) { // our own
		measure.Compare(b, through(b, burst, 0, "batch = 1000"), through(b, burst, 0, ""))
	})
	b.Run("Stdout", func(b *testing.B) {
		measure.Grow(b, 200_000, func(b *testing.B, n int) {
			measure.Compare(b,
				func() measure.Figures { return toStdout(b, binary, n) },
				func() measure.Figures { return encodeAll(b, n) })
		})
	})
}

// counting is a sink that answers after a while and says when it has so many events.
type counting struct {
	url     string
	latency time.Duration
	asked   atomic.Int64 // requests
	left    atomic.Int64
	first   chan struct{}
	all     chan struct{}
	begun   sync.Once
	buffers sync.Pool
}

func newCounting(b *testing.B, events int, latency time.Duration) *counting {
	s := &counting{latency: latency, first: make(chan struct{}), all: make(chan struct{}),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	s.left.Store(int64(events))
	server := httptest.NewServer(s)
	b.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// ServeHTTP costs little, since it runs on the processors that are measured: the body is read at once, into a buffer that is
// used again.
func (s *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	buffer := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buffer)
	buffer.Reset()
	buffer.Grow(int(max(0, r.ContentLength)) + bytes.MinRead)
	if _, err := buffer.ReadFrom(r.Body); err != nil { // what is cut off is no event
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(s.latency)
	s.begun.Do(func() { close(s.first) })
	n := int64(max(1, bytes.Count(buffer.Bytes(), []byte(`"alert_key"`))))
	if left := s.left.Add(-n); left <= 0 && left+n > 0 { // these are the last ones
		close(s.all)
	}
}

// printing makes a configuration with a check that prints so many events once, of so many alerts, and this output.
func printing(b *testing.B, events, alerts int, output string) (dir string) {
	b.Helper()
	says := filepath.Join(b.TempDir(), "says")
	pipetest.BurstFile(b, says, events, alerts)
	repeat := "'24h'"
	if alerts < events { // each event of an alert is told
		repeat = "0"
	}
	return configured(b, map[string]string{
		"config.toml": output,
		"p.exec/a.toml": "[[instances]]\ninterval = '1h'\ntimeout = '10m'\nalerting.repeat_interval = " + repeat + "\nmax_output = '2GiB'\n" +
			"commands = [['env', '" + beAScript + "=" + says + "', '" + os.Args[0] + "']]\n",
		"p.net/a.toml": "[[instances]]\n",
		"../says":      says,
	})
}

// since is how long ago the script of a configuration began to print.
func since(b *testing.B, dir string) time.Duration {
	b.Helper()
	says, err := os.ReadFile(filepath.Join(dir, "../says"))
	if err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(string(says) + ".at")
	if err != nil {
		b.Fatal(err)
	}
	at, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(time.Unix(0, at))
}

// rate is what so many events in that time are a second.
func rate(events int, took time.Duration) float64 { return float64(events) / took.Seconds() }

// throughAgent sends a burst to a sink.
func throughAgent(b *testing.B, binary string, events int, latency time.Duration, options string) measure.Figures {
	b.Helper()
	sink := newCounting(b, events, latency)
	dir := printing(b, events, events, fmt.Sprintf("[[outputs.webhook]]\nurl = %q\nconcurrency = 32\n%s\n%s", sink.url, unbounded, options))
	cmd := runBinary(b, binary, dir, nil)
	defer end(cmd)
	wait(b, "the sink has all", sink.all)
	took := since(b, dir)
	figures := stop(b, cmd)
	figures["events/s"] = rate(events, took)
	figures["requests"] = float64(sink.asked.Load())
	return figures
}

// unbounded are the options of a queue that never has to merge.
const unbounded = "queue = { max_events = 10000000, max_bytes = '16GiB' }\n"

// bareLoop posts so many events with a bare client that keeps its connections, from a process of its own as the
// agent's is.
func bareLoop(b *testing.B, events, concurrency int, latency time.Duration) measure.Figures {
	b.Helper()
	sink := newCounting(b, events, latency)
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", beBareClient, sink.url, events, concurrency))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	wait(b, "the first POST", sink.first)
	begun := time.Now()
	figures, err := measure.Wait(cmd)
	if err != nil {
		b.Fatal(err)
	}
	figures["events/s"] = rate(events, time.Since(begun))
	return figures
}
