//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/internal/measure"
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
			measure.Compare(b, through(b, n, slow, ""), func() measure.Figures { return bareLoop(b, 200, 1, slow) })
		})
	})
	b.Run("Webhook", func(b *testing.B) {
		measure.Grow(b, burst, func(b *testing.B, n int) {
			measure.Compare(b, through(b, n, 0, ""), func() measure.Figures { return bareLoop(b, n, 32, 0) })
		})
	})
	b.Run("Batches", func(b *testing.B) { // beside a POST each
		measure.Grow(b, burst, func(b *testing.B, n int) {
			measure.Compare(b, through(b, n, 0, "batch = 1000"), through(b, n, 0, ""))
		})
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
	left    atomic.Int64
	first   chan struct{}
	all     chan struct{}
	begun   sync.Once
}

func newCounting(b *testing.B, events int, latency time.Duration) *counting {
	s := &counting{latency: latency, first: make(chan struct{}), all: make(chan struct{})}
	s.left.Store(int64(events))
	server := httptest.NewServer(s)
	b.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *counting) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(s.latency)
	s.begun.Do(func() { close(s.first) })
	n := int64(max(1, bytes.Count(body, []byte(`"alert_key"`))))
	if s.left.Add(-n) <= 0 && s.left.Load() > -n {
		close(s.all)
	}
}

// printing makes a configuration with a check that prints so many events once, of so many alerts, and this output.
func printing(b *testing.B, events, alerts int, output string) (dir string) {
	b.Helper()
	says := filepath.Join(b.TempDir(), "says")
	file, err := os.Create(says)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	for i := range events {
		w.WriteString("[,"[min(i, 1) : min(i, 1)+1])
		fmt.Fprintf(w, `{"event_status":"Warning","labels":{"check":"disk usage","mount":"/data/%d"},"description":"%d %% used of a disk that ought to hold the data of customer %d"}`, i%alerts, i%100, i)
	}
	w.WriteString("]")
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return configured(b, map[string]string{
		"config.toml": output,
		"p.exec/a.toml": "[[instances]]\ninterval = '1h'\ntimeout = '10m'\nalerting.repeat_interval = 0\nmax_output = '2GiB'\n" +
			"commands = [['sh', '-c', 'date +%s.%N > $0.at; cat $0', '" + says + "']]\n",
		"p.net/a.toml": "[[instances]]\n",
		"../says":      says,
	})
}

// since is how long ago the script of a configuration began to run.
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
	at, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(float64(time.Now().UnixNano()) - at*1e9)
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

// toStdout prints a burst.
func toStdout(b *testing.B, binary string, events int) measure.Figures {
	b.Helper()
	dir := printing(b, events, events, "[[outputs.stdout]]\n"+unbounded)
	cmd, r := piped(b, binary, dir)
	defer end(cmd)
	readLines(b, r, events)
	took := since(b, dir)
	go io.Copy(io.Discard, r)
	figures := stop(b, cmd)
	figures["events/s"] = rate(events, took)
	return figures
}

// piped starts the program with its standard output in a pipe.
func piped(b *testing.B, binary, dir string, more ...string) (*exec.Cmd, *bufio.Reader) {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	b.Cleanup(func() { r.Close() })
	return runBinary(b, binary, dir, w, more...), bufio.NewReaderSize(r, 1<<20)
}

func readLines(b *testing.B, r *bufio.Reader, want int) {
	b.Helper()
	for range want {
		if _, err := r.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
}

// encodeAll does what stdout needs at the least: encode every event and write it to a pipe that is read.
func encodeAll(b *testing.B, events int) measure.Figures {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	read := make(chan struct{})
	go func() { io.Copy(io.Discard, r); close(read) }()
	figures := measure.Run(func() {
		out := bufio.NewWriter(w)
		encoder := json.NewEncoder(out)
		for i := range events {
			encoder.Encode(struct {
				Time        int64             `json:"event_time"`
				Status      string            `json:"event_status"`
				Key         string            `json:"alert_key"`
				Labels      map[string]string `json:"labels"`
				TitleRule   string            `json:"title_rule"`
				Description string            `json:"description"`
				ID          string            `json:"id"`
				Title       string            `json:"title"`
				First       int64             `json:"first_fire_time"`
				Count       int               `json:"notify_count"`
			}{1734339605, "Warning", "4f1b21a435253bf868a1249d3ba7715f",
				map[string]string{"check": "disk usage", "from_plugin": "exec", "mount": fmt.Sprint("/data/", i)}, "$check",
				"34 % used of a disk that ought to hold the data of customer 1234", "0193c0ffee00000000000000000000ff", "disk usage", 1734339605, 1})
		}
		out.Flush()
	})
	w.Close()
	<-read
	r.Close()
	figures["events/s"] = float64(events) / figures["ms"] * 1000
	delete(figures, "ms")
	delete(figures, "MiB-added") // it is the whole of catpaw's process that it would stand beside
	return figures
}
