//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"catpaw/agent"
	"catpaw/internal/measure"
)

// idle are the options with which the check that filled a queue does not run again.
var idle = []string{"-plugins", "net"}

// BenchmarkQueue prints 200,000 events from a queue on disk, from the first to the last, beside encoding and writing
// as many from memory: as after a short outage, and as after one so long that each event must say that it comes late.
func BenchmarkQueue(b *testing.B) {
	const events = 200_000
	binary := binaryOf(b)
	b.Run("Fresh", func(b *testing.B) { drained(b, binary, events, 0) })
	b.Run("Late", func(b *testing.B) {
		measure.Grow(b, events, func(b *testing.B, n int) { drained(b, binary, n, untilLate) })
	})
}

// untilLate is from when on the events of a queue are late.
const untilLate = time.Minute

func drained(b *testing.B, binary string, n int, outage time.Duration) {
	full := fillQueue(b, binary, n, n, fmt.Sprintf("[[outputs.webhook]]\nname = 'out'\nurl = %q\n%s", refusing(b), unbounded))
	if err := os.WriteFile(filepath.Join(full, "config.toml"), []byte("[[outputs.stdout]]\nname = 'out'\n"+unbounded), 0o644); err != nil {
		b.Fatal(err)
	}
	time.Sleep(outage)
	measure.Compare(b,
		func() measure.Figures {
			dir := copyOf(b, full)
			defer os.RemoveAll(filepath.Dir(dir)) // gigabytes, a round
			cmd, r := piped(b, binary, dir, idle...)
			defer end(cmd)
			readLines(b, r, 1)
			begun := time.Now()
			last := readLines(b, r, n-1)
			took := time.Since(begun)
			if late := bytes.Contains(last, []byte(`"delayed":true`)); late != (outage > 0) { // else it is another row's figure
				b.Fatalf("after an outage of %s an event is late: %t: %.300s", outage, late, last)
			}
			go io.Copy(io.Discard, r)
			figures := stop(b, cmd)
			figures["events/s"] = rate(n-1, took)
			return figures
		},
		func() measure.Figures { return encodeAll(b, n) })
}

// BenchmarkRestartWithAFullQueue starts on 100,000 queued events of 100 alerts and on one, and compares the time to the
// first delivery and the memory then. The check that queued them does not run again: only the queues differ.
func BenchmarkRestartWithAFullQueue(b *testing.B) {
	binary := binaryOf(b)
	output := fmt.Sprintf("[[outputs.webhook]]\nurl = %q\n%s", refusing(b), unbounded)
	full, one := fillQueue(b, binary, 100_000, 100, output), fillQueue(b, binary, 1, 1, output)
	measure.Compare(b,
		func() measure.Figures { return firstDelivery(b, binary, copyOf(b, full)) },
		func() measure.Figures { return firstDelivery(b, binary, copyOf(b, one)) })
}

// refusing is the address of a sink that has trouble.
func refusing(b *testing.B) string {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	b.Cleanup(down.Close)
	return down.URL
}

// fillQueue has the program queue everything for an output that takes nothing.
func fillQueue(b *testing.B, binary string, events, alerts int, output string) (dir string) {
	b.Helper()
	dir = printing(b, events, alerts, output)
	cmd := runBinary(b, binary, dir, nil)
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		queues, closeThem, err := agent.OpenQueues(filepath.Join(filepath.Dir(dir), "state.d"), nil, false)
		if err == nil {
			list, _ := queues.List()
			closeThem()
			if len(list) == 1 && list[0].Queued >= events {
				break
			}
		}
		if time.Now().After(deadline) {
			b.Fatal("the queue does not fill")
		}
	}
	stop(b, cmd)
	return dir
}

// copyOf is a configuration with its state, all of which is on disk: what is still to be written, gigabytes of a long
// queue, would be so while something is measured.
func copyOf(b *testing.B, dir string) string {
	b.Helper()
	to := b.TempDir()
	if err := os.CopyFS(to, os.DirFS(filepath.Dir(dir))); err != nil {
		b.Fatal(err)
	}
	syscall.Sync()
	return filepath.Join(to, "c")
}

// firstDelivery is the time from the start of the process to the first POST, and the resident memory shortly after.
func firstDelivery(b *testing.B, binary, dir string) measure.Figures {
	b.Helper()
	first, hold := make(chan struct{}, 1), make(chan struct{}) // the first delivery is what is measured: the rest waits
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case first <- struct{}{}:
		default:
		}
		<-hold
	}))
	defer server.Close()
	defer close(hold)
	main := fmt.Sprintf("[[outputs.webhook]]\nurl = %q\n%s", server.URL, unbounded)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(main), 0o644); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	cmd := runBinary(b, binary, dir, nil, idle...)
	defer end(cmd)
	wait(b, "the first delivery", first)
	took := time.Since(begun)
	time.Sleep(time.Second) // until it has read ahead what it will
	return measure.Figures{"ms": measure.Milliseconds(took), "MiB": measure.Resident(b, cmd.Process.Pid)}
}
