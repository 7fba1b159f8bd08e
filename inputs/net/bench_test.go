//go:build unix

package net

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// beListener makes this test binary accept connections for its parent, so that their cost is not
// counted as the probe's.
const beListener = "CATPAW_TEST_BE_A_LISTENER"

const (
	benchTargets   = 10_000
	benchListeners = 50
)

// listenForParent prints its addresses and accepts until standard input ends.
func listenForParent() {
	for i := range benchListeners {
		listener, err := stdnet.Listen("tcp", fmt.Sprintf("127.0.1.%d:0", i+1))
		if err != nil {
			panic(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Close()
			}
		}()
		fmt.Println(listener.Addr())
	}
	io.Copy(io.Discard, os.Stdin)
}

func listeners(b *testing.B) (addresses []string) {
	b.Helper()
	if runtime.GOOS != "linux" {
		b.Skip("only Linux has all of 127.0.0.0/8")
	}
	child := exec.CommandContext(b.Context(), os.Args[0])
	child.Env = append(os.Environ(), beListener+"=1")
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
	b.Cleanup(func() { stdin.Close(); child.Wait() })
	for scanner := bufio.NewScanner(stdout); len(addresses) < benchListeners && scanner.Scan(); {
		addresses = append(addresses, scanner.Text())
	}
	return addresses
}

// BenchmarkTargets compares one Gather over 10,000 targets with a bare net.Dialer loop at the same
// concurrency, in turn.
func BenchmarkTargets(b *testing.B) {
	addresses := listeners(b)
	targets := make([]string, benchTargets)
	for i := range targets {
		targets[i] = addresses[i%len(addresses)]
	}
	p := New()
	pipetest.Options(b, fmt.Sprintf("targets = [\"%s\"]", strings.Join(targets, `","`)), p)
	check := pipetest.Check(p)
	var probeCPU, bareCPU, probeWall, bareWall []time.Duration
	const rounds = 5
	for b.Loop() {
		for range rounds {
			cpu, wall := measure.Spent(func() { bareLoop(b, targets, p.Concurrency) })
			bareCPU, bareWall = append(bareCPU, cpu), append(bareWall, wall)
			cpu, wall = measure.Spent(func() { wantAllOk(b, check) })
			probeCPU, probeWall = append(probeCPU, cpu), append(probeWall, wall)
		}
	}
	perTarget := func(d time.Duration) float64 { return float64(d.Microseconds()) / benchTargets }
	b.ReportMetric(perTarget(measure.Median(probeCPU)), "µs-cpu/target")
	b.ReportMetric(perTarget(measure.Median(bareCPU)), "µs-cpu/bare")
	b.ReportMetric(float64(measure.Median(probeCPU))/float64(measure.Median(bareCPU)), "cpu-ratio(bound=1.2)")
	b.ReportMetric(float64(measure.Median(probeWall))/float64(measure.Median(bareWall)), "wall-ratio")
}

func bareLoop(b *testing.B, targets []string, concurrency int) {
	dialer := stdnet.Dialer{Timeout: time.Second}
	next := make(chan string)
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for target := range next {
				conn, err := dialer.DialContext(context.Background(), "tcp", target)
				if err != nil {
					b.Error(err)
					continue
				}
				conn.Close()
			}
		})
	}
	for _, target := range targets {
		next <- target
	}
	close(next)
	workers.Wait()
}

func wantAllOk(b *testing.B, check *pipeline.Check) {
	events, _, err := pipeline.Look(b.Context(), check)
	if err != nil || len(events) != benchTargets {
		b.Fatalf("%d events, %v", len(events), err)
	}
	for _, e := range events {
		if e.Status != pipeline.Ok {
			b.Fatal(e.Description)
		}
	}
}

// BenchmarkDeadTargets reports when the last of 980 living targets is seen where 20 others never answer.
func BenchmarkDeadTargets(b *testing.B) {
	live, black := listeners(b), blackHole(b)
	var targets []string
	for i := range 1000 {
		if i%50 == 7 {
			targets = append(targets, black)
		} else {
			targets = append(targets, live[i%len(live)])
		}
	}
	p := New()
	pipetest.Options(b, fmt.Sprintf("targets = [\"%s\"]", strings.Join(targets, `","`)), p)
	var lastLive []float64
	for b.Loop() {
		begun := time.Now()
		var mu sync.Mutex
		var last time.Duration
		report := pipeline.NewReport(pipetest.Check(p), &pipeline.Run{}, func(r pipeline.Result) {
			mu.Lock()
			defer mu.Unlock()
			if r.Event.Status == pipeline.Ok {
				last = time.Since(begun)
			}
		})
		if err := p.Gather(b.Context(), report); err != nil {
			b.Fatal(err)
		}
		lastLive = append(lastLive, last.Seconds())
	}
	b.ReportMetric(measure.Median(lastLive), "s/last-live(bound=0.2)")
}

// blackHole is an address on loopback whose backlog is full, so that connects to it hang.
func blackHole(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 4 { // fill it
		conn, err := stdnet.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("a full backlog does not hang connects here")
	return ""
}
