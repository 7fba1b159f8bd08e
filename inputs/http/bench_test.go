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
	benchConcurrency = 100
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

// startServer starts the server and returns its port.
func startServer(b *testing.B) (port string) {
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
	port, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(port)
}

// urls are those of so many targets on the server, spread over addresses so that no tuple of ports is used twice at
// short distance.
func urls(port string, n int) []string {
	hosts := 100
	if runtime.GOOS != "linux" {
		hosts = 1 // elsewhere only 127.0.0.1 is there
	}
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("http://127.0.0.%d:%s/%d", 1+i%hosts, port, i)
	}
	return all
}

// BenchmarkTargets compares a probe of 5,000 targets with a bare http.Client that keeps no connection, at the same
// concurrency.
func BenchmarkTargets(b *testing.B) {
	port := startServer(b)
	measure.Grow(b, 5000, func(b *testing.B, n int) {
		all := urls(port, n)
		p := New()
		p.Targets = all
		p.Expect.StatusCode = []string{"20*"}
		if err := p.Init(); err != nil {
			b.Fatal(err)
		}
		measure.Compare(b,
			func() measure.Figures { return measure.Run(func() { gatherAll(b, p) }) },
			func() measure.Figures { return measure.Run(func() { getAll(b, all) }) })
	})
}

func gatherAll(b *testing.B, p *Probe) {
	var good atomic.Int64
	report := pipeline.NewReport(&pipeline.Run{Check: pipetest.Check(p)}, func(results []pipeline.Result) {
		for _, r := range results {
			if r.Event.Status == pipeline.Ok {
				good.Add(1)
			}
		}
	})
	if err := p.Gather(context.Background(), report); err != nil {
		b.Fatal(err)
	}
	if good.Load() != 2*int64(len(p.Targets)) {
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
