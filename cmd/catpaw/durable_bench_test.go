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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/agent"
)

const burst = 10_000 // events that a script prints at once

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

// binaryOf builds the program as make build does.
func binaryOf(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "catpaw")
	build(b, path)
	return path
}

// printing makes a configuration with a check that prints many events once, each of an alert of its own,
// and this output.
func printing(b *testing.B, events int, output string) (dir string) {
	b.Helper()
	return printingOf(b, events, events, output)
}

// printingOf is printing with so many alerts.
func printingOf(b *testing.B, events, alerts int, output string) (dir string) {
	b.Helper()
	base := b.TempDir()
	says := filepath.Join(base, "says")
	var text strings.Builder
	for i := range events {
		text.WriteString("[,"[min(i, 1) : min(i, 1)+1])
		fmt.Fprintf(&text, `{"event_status":"Warning","labels":{"check":"disk usage","mount":"/data/%d"},"description":"%d %% used of a disk that ought to hold the data of customer %d"}`, i%alerts, i%100, i)
	}
	files := map[string]string{
		says:                                   text.String() + "]",
		filepath.Join(base, "c/config.toml"):   output,
		filepath.Join(base, "c/p.exec/a.toml"): "[[instances]]\ninterval = '1h'\nalerting.repeat_interval = 0\nmax_output = '64MiB'\ncommands = [['sh', '-c', 'date +%s.%N > " + says + ".at; cat " + says + "']]\n",
	}
	for path, text := range files {
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(base, "c")
}

// run starts the program and returns how to kill it.
func runBinary(b *testing.B, binary, dir string, stdout io.Writer) *exec.Cmd {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), binary, "-configs", dir, "-loglevel", "error")
	cmd.Stdout, cmd.Stderr = stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

func end(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

func wait(b *testing.B, what string, done <-chan struct{}) {
	b.Helper()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		b.Fatalf("it never came to this: %s", what)
	}
}

// since is how long ago the script of a configuration began to run.
func since(b *testing.B, dir string) time.Duration {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "says.at"))
	if err != nil {
		b.Fatal(err)
	}
	at, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(float64(time.Now().UnixNano()) - at*1e9)
}

// throughAgent is how long it takes from the start of the script until the sink has a burst.
func throughAgent(b *testing.B, binary string, latency time.Duration, options string) time.Duration {
	b.Helper()
	sink := newCounting(b, burst, latency)
	dir := printing(b, burst, fmt.Sprintf("[[outputs.webhook]]\nurl = %q\nconcurrency = 32\n%s\n", sink.url, options))
	cmd := runBinary(b, binary, dir, nil)
	defer end(cmd)
	wait(b, "the sink has all", sink.all)
	return since(b, dir)
}

// bareLoop posts so many events with a bare client that keeps its connections, from a process of its own
// as the agent's is.
func bareLoop(b *testing.B, events, concurrency int, latency time.Duration) time.Duration {
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
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

// beBareClient makes this test binary post with a bare client: URL, events, concurrency.
const beBareClient = "CATPAW_TEST_BE_A_BARE_CLIENT"

func bareClient(order string) {
	var url string
	var events, concurrency int
	fmt.Sscan(order, &url, &events, &concurrency)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}
	body := []byte(`{"event_time":1734339605,"event_status":"Warning","alert_key":"4f1b21a435253bf868a1249d3ba7715f","labels":{"check":"disk usage","from_plugin":"exec","mount":"/data/1234"},"title_rule":"$check","description":"34 % used of a disk that ought to hold the data of customer 1234","id":"0193c0ffee00000000000000000000ff","title":"disk usage","first_fire_time":1734339605,"notify_count":1}`)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for next.Add(1) <= int64(events) {
				response, err := client.Post(url, "application/json", bytes.NewReader(body))
				if err != nil {
					panic(err)
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	workers.Wait()
}

func middle(n int, measure func() float64) float64 {
	var all []float64
	for range n {
		all = append(all, measure())
	}
	slices.Sort(all)
	return all[n/2]
}

func perSecond(events int, took time.Duration) float64 { return float64(events) / took.Seconds() }

// BenchmarkBurst sends what a script prints at once to a webhook, durably, and compares with a bare
// client. The agent's time begins with the start of its process.
func BenchmarkBurst(b *testing.B) {
	binary := binaryOf(b)
	for b.Loop() {
		one := middle(5, func() float64 { return perSecond(burst, throughAgent(b, binary, 0, "")) })
		bare := middle(5, func() float64 { return perSecond(burst, bareLoop(b, burst, 32, 0)) })
		many := middle(5, func() float64 { return perSecond(burst, throughAgent(b, binary, 0, "batch = 1000")) })
		slow := middle(3, func() float64 { return perSecond(burst, throughAgent(b, binary, 20*time.Millisecond, "")) })
		inTurn := perSecond(200, bareLoop(b, 200, 1, 20*time.Millisecond))
		b.ReportMetric(one, "events/s")
		b.ReportMetric(bare, "events/s-bare")
		b.ReportMetric(one/bare, "ratio(bound=0.5)")
		b.ReportMetric(many, "events/s-batch")
		b.ReportMetric(many/one, "batch-ratio(bound=10)")
		b.ReportMetric(slow/inTurn, "slow-sink-ratio(bound=20)")
	}
}

// BenchmarkBurstToStdout compares with encoding the same events and writing them with bufio.
func BenchmarkBurstToStdout(b *testing.B) {
	binary := binaryOf(b)
	const events = 10 * burst
	for b.Loop() {
		agent := middle(3, func() float64 { return perSecond(events, toStdout(b, binary, events)) })
		bare := middle(3, func() float64 { return perSecond(events, encodeAll(b, events)) })
		b.ReportMetric(agent, "events/s")
		b.ReportMetric(bare, "events/s-bare")
		b.ReportMetric(agent/bare, "ratio(bound=0.3)")
	}
}

func toStdout(b *testing.B, binary string, events int) time.Duration {
	b.Helper()
	dir := printing(b, events, "[[outputs.stdout]]\n")
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd := runBinary(b, binary, dir, w)
	defer end(cmd)
	w.Close()
	lines := 0
	for reader := bufio.NewReaderSize(r, 1<<20); lines < events; lines++ {
		if _, err := reader.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	r.Close()
	return since(b, dir)
}

// encodeAll does what stdout needs at the least: encode every event and write it to a pipe that is read.
func encodeAll(b *testing.B, events int) time.Duration {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	read := make(chan struct{})
	go func() { io.Copy(io.Discard, r); close(read) }()
	begun := time.Now()
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
	took := time.Since(begun)
	w.Close()
	<-read
	r.Close()
	return took
}

// BenchmarkRestartWithAFullQueue starts on 100,000 queued events of 100 alerts and on none, and compares the time to
// the first delivery and the memory then.
func BenchmarkRestartWithAFullQueue(b *testing.B) {
	binary := binaryOf(b)
	const queued = 100_000
	for b.Loop() {
		full := fillQueue(b, binary, queued)
		var fullTimes, emptyTimes, extra []float64
		for range 5 {
			took, memory := firstDelivery(b, binary, copyOf(b, full))
			empty, little := firstDelivery(b, binary, printing(b, 1, ""))
			fullTimes, emptyTimes = append(fullTimes, took.Seconds()), append(emptyTimes, empty.Seconds())
			extra = append(extra, memory-little)
		}
		median := func(all []float64) float64 { slices.Sort(all); return all[len(all)/2] }
		b.ReportMetric(median(fullTimes)*1000, "ms-to-first")
		b.ReportMetric(median(emptyTimes)*1000, "ms-to-first-empty")
		b.ReportMetric(median(fullTimes)/median(emptyTimes), "ratio(bound=10)")
		b.ReportMetric(median(extra), "MiB-above-empty(bound=10)")
	}
}

// fillQueue has a sink refuse for now until everything is queued.
func fillQueue(b *testing.B, binary string, events int) (dir string) {
	b.Helper()
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer down.Close()
	dir = printingOf(b, events, 100, fmt.Sprintf("[[outputs.webhook]]\nurl = %q\n", down.URL))
	cmd := runBinary(b, binary, dir, nil)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		queues, closeThem, err := agent.OpenQueues(filepath.Join(filepath.Dir(dir), "state.d"), nil, false)
		if err == nil {
			list, _ := queues.List()
			closeThem()
			if len(list) == 1 && list[0].Queued == events {
				break
			}
		}
		if time.Now().After(deadline) {
			b.Fatal("the queue does not fill")
		}
	}
	end(cmd)
	os.Remove(filepath.Join(filepath.Dir(dir), "state.d/catpaw.sock"))
	return dir
}

func copyOf(b *testing.B, dir string) string {
	b.Helper()
	to := b.TempDir()
	if err := os.CopyFS(to, os.DirFS(filepath.Dir(dir))); err != nil {
		b.Fatal(err)
	}
	return filepath.Join(to, "c")
}

// firstDelivery is the time from the start of the process to the first POST, and the resident memory then.
func firstDelivery(b *testing.B, binary, dir string) (time.Duration, float64) {
	b.Helper()
	sink := newCounting(b, 1<<40, 0)
	hold := make(chan struct{}) // the first delivery is what is measured: the rest waits
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		sink.begun.Do(func() { close(sink.first) })
		<-hold
	}))
	defer server.Close()
	defer close(hold)
	main := fmt.Sprintf("[[outputs.webhook]]\nurl = %q\n", server.URL)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(main), 0o644); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	cmd := runBinary(b, binary, dir, nil)
	defer end(cmd)
	wait(b, "the first delivery", sink.first)
	return time.Since(begun), residentOf(b, cmd.Process.Pid)
}

// BenchmarkABadNeighbour measures the delay of the good sink of a 0.1 s check with and without a sink
// beside it that never answers.
func BenchmarkABadNeighbour(b *testing.B) {
	binary := binaryOf(b)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hangs.Close()
	bad := fmt.Sprintf("[[outputs.webhook]]\nname = 'bad'\nurl = %q\n", hangs.URL)
	for b.Loop() {
		alone := delay99(b, binary, "")
		beside := delay99(b, binary, bad)
		b.ReportMetric(alone*1000, "ms-p99-alone")
		b.ReportMetric(beside*1000, "ms-p99-beside-a-hanging-sink")
		b.ReportMetric(beside/alone, "ratio")
	}
}

// delay99 is the 99th percentile, over 200 events, of the time from the script's clock to the good sink.
func delay99(b *testing.B, binary, other string) float64 {
	b.Helper()
	const events = 200
	delays := make(chan float64, 10*events)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now()
		var event struct {
			Attrs struct{ At float64 } `json:"attrs"`
		}
		if json.NewDecoder(r.Body).Decode(&event) == nil {
			delays <- float64(now.UnixNano())/1e9 - event.Attrs.At
		}
	}))
	defer sink.Close()
	dir := printing(b, 1, fmt.Sprintf("[[outputs.webhook]]\nurl = %q\n%s", sink.URL, other))
	script := `interval = 0.1
[[instances]]
commands = [["sh", "-c", "date +'[{\"event_status\":\"Info\",\"labels\":{\"check\":\"c\"},\"attrs\":{\"at\":%s.%N}}]'"]]
alerting.repeat_interval = 0
`
	if err := os.WriteFile(filepath.Join(dir, "p.exec/a.toml"), []byte(script), 0o644); err != nil {
		b.Fatal(err)
	}
	cmd := runBinary(b, binary, dir, nil)
	defer end(cmd)
	var all []float64
	for len(all) < events {
		select {
		case delay := <-delays:
			all = append(all, delay)
		case <-time.After(time.Minute):
			b.Fatal("no events come")
		}
	}
	slices.Sort(all)
	return all[events*99/100]
}
