//go:build unix

package net

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
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

const benchListeners = 50

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

// listeners are addresses, which only Linux has so many of on loopback.
func listeners(b *testing.B) (addresses []string) {
	b.Helper()
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

// BenchmarkTargets compares one Gather over 10,000 targets with a bare net.Dialer loop at the same concurrency.
func BenchmarkTargets(b *testing.B) {
	addresses := listeners(b)
	measure.Grow(b, 10_000, func(b *testing.B, n int) {
		targets := make([]string, n)
		for i := range targets {
			targets[i] = addresses[i%len(addresses)]
		}
		p := New()
		pipetest.Options(b, fmt.Sprintf("timeout = '10m'\ntargets = [\"%s\"]", strings.Join(targets, `","`)), p)
		check := pipetest.Check(p)
		measure.Compare(b,
			func() measure.Figures { return measure.Run(func() { wantAllOk(b, check, n) }) },
			func() measure.Figures { return measure.Run(func() { bareLoop(b, targets, p.Concurrency) }) })
	})
}

func bareLoop(b *testing.B, targets []string, concurrency int) {
	dialer := stdnet.Dialer{Timeout: time.Second}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(targets); i = int(next.Add(1)) - 1 {
				conn, err := dialer.DialContext(context.Background(), "tcp", targets[i])
				if err != nil {
					b.Error(err)
					continue
				}
				conn.Close()
			}
		})
	}
	workers.Wait()
}

func wantAllOk(b *testing.B, check *pipeline.Check, n int) {
	events, _, err := pipeline.Look(b.Context(), check)
	if err != nil || len(events) != n {
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
	measure.Report(b, func() measure.Figures {
		begun := time.Now()
		var mu sync.Mutex
		var last time.Duration
		report := pipeline.NewReport(&pipeline.Run{Check: pipetest.Check(p)}, func(results []pipeline.Result) {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range results {
				if r.Event.Status == pipeline.Ok {
					last = time.Since(begun)
				}
			}
		})
		if err := p.Gather(b.Context(), report); err != nil {
			b.Fatal(err)
		}
		return measure.Figures{"ms-last-live": measure.Milliseconds(last)}
	})
}
