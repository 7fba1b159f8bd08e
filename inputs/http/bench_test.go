//go:build unix

package http

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const (
	benchTargets     = 5000
	benchConcurrency = 100
	benchRounds      = 7
	// benchServer, in the environment, turns the test binary into the server of the benchmark: in a
	// process of its own, so that its CPU time is not counted.
	benchServer = "CATPAW_BENCH_SERVER"
)

// serve answers until its standard input ends.
func serve() {
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "all is well\n") }))
}

// startServer starts the server and returns the URLs of so many targets on it, spread over addresses
// so that no tuple of ports is used twice at short distance.
func startServer(b *testing.B) []string {
	b.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), benchServer+"=1")
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		child.Wait()
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	hosts := 10
	if runtime.GOOS != "linux" {
		hosts = 1 // elsewhere only 127.0.0.1 is there
	}
	urls := make([]string, benchTargets)
	for i := range urls {
		urls[i] = fmt.Sprintf("http://127.0.0.%d:%s/%d", 1+i%hosts, strings.TrimSpace(port), i)
	}
	return urls
}

// BenchmarkProbe compares the CPU time of a probe of 5,000 targets with that of a bare http.Client that
// keeps no connection, at the same concurrency, in turn. The bound is 1.3.
func BenchmarkProbe(b *testing.B) {
	urls := startServer(b)
	p := New()
	p.Targets = urls
	p.Expect.StatusCode = []string{"20*"}
	if err := p.Init(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var ratios, probes, bares []float64
		for range benchRounds {
			probe := cpu(func() { gatherAll(b, p) })
			bare := cpu(func() { getAll(b, urls) })
			probes, bares = append(probes, probe), append(bares, bare)
			ratios = append(ratios, probe/bare)
		}
		b.ReportMetric(measure.Median(probes), "µs-cpu/probe")
		b.ReportMetric(measure.Median(bares), "µs-cpu/bare")
		b.ReportMetric(measure.Median(ratios), "cpu_ratio(bound=1.3)")
	}
}

// cpu is the processor time of this process, user and system, for each target, in microseconds.
func cpu(work func()) float64 {
	runtime.GC()
	before := measure.CPU()
	work()
	return float64((measure.CPU() - before).Nanoseconds()) / 1000 / benchTargets
}

func gatherAll(b *testing.B, p *Probe) {
	var good atomic.Int64
	report := pipeline.NewReport(pipetest.Check(p), &pipeline.Run{}, func(r pipeline.Result) {
		if r.Event.Status == pipeline.Ok {
			good.Add(1)
		}
	})
	if err := p.Gather(context.Background(), report); err != nil {
		b.Fatal(err)
	}
	if good.Load() != 2*benchTargets {
		b.Fatalf("%d results are Ok", good.Load())
	}
}

func getAll(b *testing.B, urls []string) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range benchConcurrency {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(urls); i = int(next.Add(1)) - 1 {
				response, err := client.Get(urls[i])
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	workers.Wait()
}
