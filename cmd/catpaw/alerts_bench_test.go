//go:build unix

package main

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"catpaw/internal/measure"
)

// BenchmarkLiveAlerts starts on a million open alerts, at the largest of its sizes, and on none, and compares the time
// from exec until it is ready. The memory is that of living alerts: their check has run and found them all again, and
// all is calm.
func BenchmarkLiveAlerts(b *testing.B) {
	binary, ready := binaryOf(b), readiness(b)
	measure.Grow(b, 62_500, func(b *testing.B, n int) {
		full := withAlerts(b, binary, n)
		empty := configured(b, map[string]string{"p.exec/a.toml": "[[instances]]\ninterval = '1h'\ncommands = [['true']]\n"})
		restart := func(dir string) measure.Figures {
			drop(ready)
			begun := time.Now()
			cmd := runBinary(b, binary, dir, nil)
			defer end(cmd)
			wait(b, "ready", ready)
			took := time.Since(begun)
			settle(b, cmd)
			return measure.Figures{"ms": measure.Milliseconds(took), "MiB": measure.Resident(b, cmd.Process.Pid)}
		}
		var bare measure.Figures
		measure.Compare(b,
			func() measure.Figures {
				figures := restart(copyOf(b, full))
				if bare == nil { // in the first round it is its turn only later
					bare = restart(empty)
				}
				figures["B/alert"] = (figures["MiB"] - bare["MiB"]) * (1 << 20) / float64(n)
				return figures
			},
			func() measure.Figures { bare = restart(empty); return bare })
	})
}

// withAlerts is a configuration with a state directory of so many open alerts, which all have been told.
func withAlerts(b *testing.B, binary string, n int) (dir string) {
	b.Helper()
	dir = printing(b, n, n, "[[outputs.stdout]]\n"+unbounded)
	cmd, r := piped(b, binary, dir)
	readLines(b, r, n)
	stop(b, cmd)
	return dir
}

// readiness has the programs that the benchmark starts say when they are ready (sd_notify(3)).
func readiness(b *testing.B) <-chan struct{} {
	b.Helper()
	socket := filepath.Join(b.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	b.Setenv("NOTIFY_SOCKET", socket)
	ready := make(chan struct{}, 1)
	go func() {
		text := make([]byte, 4096)
		for {
			n, err := conn.Read(text)
			if err != nil {
				return
			}
			if strings.Contains(string(text[:n]), "READY=1") {
				select {
				case ready <- struct{}{}:
				default:
				}
			}
		}
	}()
	return ready
}

func drop(ready <-chan struct{}) {
	select {
	case <-ready:
	default:
	}
}

// settle waits until a program that was just started is at rest: its checks run at once, and two seconds after the burst
// it gives back what that took. A status is not asked for, since it would take memory for every alert.
func settle(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	const window, atRest = 3 * time.Second, 100 * time.Millisecond // of processor time in it
	used := measure.CPUOf(b, cmd.Process.Pid)
	for range 100 {
		time.Sleep(window)
		before := used
		if used = measure.CPUOf(b, cmd.Process.Pid); used-before < atRest {
			return
		}
	}
	b.Fatal("it comes to no rest")
}
