package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const benchTargets = 1000

// BenchmarkThousandChecks starts the program on 1,000 TCP targets, once as one instance and once as
// 1,000, and reports how long after its start the last one was seen, and its resident memory after
// two rounds at an interval of 10 s. The race detector is off in make bench.
func BenchmarkThousandChecks(b *testing.B) {
	for _, c := range []struct {
		name      string
		configure func(targets []string) string
	}{
		{"targets", func(targets []string) string {
			return fmt.Sprintf("interval = 10\n[[instances]]\ntargets = [%s]\n", strings.Join(targets, ","))
		}},
		{"instances", func(targets []string) string {
			var text strings.Builder
			text.WriteString("interval = 10\n")
			for _, target := range targets {
				fmt.Fprintf(&text, "[[instances]]\ntargets = [%s]\n", target)
			}
			return text.String()
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				seen, rss := thousandChecks(b, c.configure)
				b.ReportMetric(seen.Seconds(), "s/all-seen(bound=0.5)")
				b.ReportMetric(rss, "MiB/resident(bound=25)")
			}
		})
	}
}

func thousandChecks(b *testing.B, configure func([]string) string) (allSeen time.Duration, residentMiB float64) {
	b.Helper()
	var first, total atomic.Int64
	done := make(chan struct{})
	rounds := make(chan struct{})
	var targets []string
	for range benchTargets {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer listener.Close()
		targets = append(targets, strconv.Quote(listener.Addr().String()))
		go func() {
			for n := 0; ; n++ {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Close()
				if n == 0 && first.Add(1) == benchTargets {
					close(done)
				}
				if total.Add(1) == 2*benchTargets {
					close(rounds)
				}
			}
		}()
	}
	dir := filepath.Join(b.TempDir(), "conf.d")
	if err := os.MkdirAll(filepath.Join(dir, "p.net"), 0o755); err != nil {
		b.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "p.net", "a.toml"), []byte(configure(targets)), 0o644)
	binary := filepath.Join(b.TempDir(), "catpaw")
	build(b, binary)
	cmd := exec.CommandContext(b.Context(), binary, "-configs", dir)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	waitFor(b, done)
	allSeen = time.Since(start)
	waitFor(b, rounds)
	return allSeen, residentOf(b, cmd.Process.Pid)
}

func waitFor(b *testing.B, c chan struct{}) {
	b.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		b.Fatal("not all targets were seen")
	}
}

// residentOf reads VmRSS (proc(5)) in MiB.
func residentOf(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("no /proc here: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}

func build(b *testing.B, binary string) {
	b.Helper()
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
}
