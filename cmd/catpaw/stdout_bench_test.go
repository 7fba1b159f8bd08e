//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"catpaw/internal/measure"
	"catpaw/pipeline/pipetest"
)

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

// readLines reads so many lines and returns the last one, which is there until r is read again.
func readLines(b *testing.B, r *bufio.Reader, want int) (last []byte) {
	b.Helper()
	for range want {
		var err error
		if last, err = r.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	return last
}

// printed is what stdout prints of an event.
type printed struct {
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
}

// encodeAll does what stdout needs at the least: encode every event and write it to a pipe that is read.
func encodeAll(b *testing.B, events int) measure.Figures {
	b.Helper()
	var one printed
	if err := json.Unmarshal(pipetest.BurstMessage().JSON(), &one); err != nil {
		b.Fatal(err)
	}
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
			each := one
			each.Labels = map[string]string{"check": one.Labels["check"], "from_plugin": one.Labels["from_plugin"], "mount": fmt.Sprint("/data/", i)}
			encoder.Encode(each)
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
