//go:build unix

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/internal/measure"
)

// binaryOf builds the program as make build does.
func binaryOf(b testing.TB) string { return built(b, ".") }

func built(b testing.TB, what string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "program")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, what)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// configured writes a configuration directory with these files and returns it; its state directory is a neighbour.
func configured(b *testing.B, files map[string]string) (dir string) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), "c")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// runBinary starts the program, which says no more than its errors.
func runBinary(b *testing.B, binary, dir string, stdout io.Writer, more ...string) *exec.Cmd {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), binary, append([]string{"-configs", dir, "-loglevel", "error"}, more...)...)
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

// stop ends the program as a service manager does and returns what it cost in all.
func stop(b *testing.B, cmd *exec.Cmd) measure.Figures {
	b.Helper()
	figures, err := measure.End(cmd)
	if err != nil {
		b.Fatal(err)
	}
	return figures
}

func wait(b *testing.B, what string, done <-chan struct{}) {
	b.Helper()
	select {
	case <-done:
	case <-time.After(10 * time.Minute):
		b.Fatalf("it never came to this: %s", what)
	}
}

// target is a listener on loopback that hangs up on everybody, and closes a channel once so many have come.
type target struct {
	address string
	came    atomic.Int64
	want    chan arrival
}

type arrival struct {
	count int64
	done  chan struct{}
}

func newTarget(b testing.TB) *target {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	t := &target{address: listener.Addr().String(), want: make(chan arrival, 4)}
	go func() {
		var awaited []arrival
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
			now := t.came.Add(1)
			for more := true; more; {
				select {
				case a := <-t.want:
					awaited = append(awaited, a)
				default:
					more = false
				}
			}
			for len(awaited) > 0 && now >= awaited[0].count {
				close(awaited[0].done)
				awaited = awaited[1:]
			}
		}
	}()
	return t
}

// after returns a channel that is closed when so many more connections have come. To be asked for in rising order.
func (t *target) after(connections int) <-chan struct{} {
	a := arrival{t.came.Load() + int64(connections), make(chan struct{})}
	t.want <- a
	return a.done
}

// checksOf are so many checks of the target, each an instance of its own.
func checksOf(t *target, n int) string {
	var text strings.Builder
	text.WriteString("interval = 10\n")
	for i := range n {
		fmt.Fprintf(&text, "[[instances]]\ntargets = [%q]\nlabels.n = '%d'\n", t.address, i)
	}
	return text.String()
}
