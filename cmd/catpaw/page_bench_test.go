//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline/pipetest"
)

// BenchmarkPage compares the CPU of an agent with 1,000 checks each 10 s while a page is open, which asks every 3 s,
// with that while none is, in windows that alternate.
func BenchmarkPage(b *testing.B) {
	const window = 20 * time.Second // two rounds of the checks
	address, pid := watchedAgent(b, 1000)
	cost := func(look func()) func() measure.Figures {
		return func() measure.Figures {
			before, looks := measure.CPUOf(b, pid), time.NewTicker(3*time.Second)
			defer looks.Stop()
			for over := time.After(window); ; {
				look()
				select {
				case <-looks.C:
				case <-over:
					return measure.Figures{"ms-cpu": measure.Milliseconds(measure.CPUOf(b, pid) - before)}
				}
			}
		}
	}
	measure.Compare(b, cost(func() { get(b, address, "status"); get(b, address, "silences") }), cost(func() {}))
}

// BenchmarkStatus tells how long a status takes.
func BenchmarkStatus(b *testing.B) {
	measure.Grow(b, 1000, func(b *testing.B, n int) {
		address, _ := watchedAgent(b, n)
		measure.Report(b, func() measure.Figures {
			begun := time.Now()
			get(b, address, "status")
			return measure.Figures{"ms": measure.Milliseconds(time.Since(begun))}
		})
	})
}

// BenchmarkLateness tells how late 10,000 checks run while somebody asks for a status ten times a second, beside how
// late they are while nobody does.
func BenchmarkLateness(b *testing.B) {
	address, _ := watchedAgent(b, 10_000)
	late := func(look func()) func() measure.Figures {
		return func() measure.Figures { return measure.Figures{"ms-p99": 1000 * lateness(b, address, look)} }
	}
	measure.Compare(b, late(func() { get(b, address, "status") }), late(func() {}))
}

// lateness is by how many seconds 99 of 100 checks that run each 10 s begin after they were due, at most.
func lateness(b *testing.B, address string, look func()) float64 {
	b.Helper()
	const watch = 9 * time.Second // less than a round: what is due in it runs once
	type times struct {
		ID    string    `json:"id"`
		Began time.Time `json:"last_run"`
		Next  time.Time `json:"next_run"`
	}
	seen := func() map[string]times {
		var status struct{ Checks []times }
		if err := json.Unmarshal(get(b, address, "status"), &status); err != nil {
			b.Fatal(err)
		}
		all := make(map[string]times, len(status.Checks))
		for _, check := range status.Checks {
			all[check.ID] = check
		}
		return all
	}
	before := seen()
	for over := time.Now().Add(watch); time.Now().Before(over); time.Sleep(100 * time.Millisecond) {
		look()
	}
	var late []float64
	for id, now := range seen() {
		due := before[id].Next
		if due.IsZero() || now.Began.Equal(before[id].Began) { // it was just running, or is not due yet
			continue
		}
		late = append(late, now.Began.Sub(due).Seconds())
	}
	if len(late) < len(before)*8/10 {
		b.Fatalf("of %d checks %d ran", len(before), len(late))
	}
	slices.Sort(late)
	return late[len(late)*99/100]
}

// watchedAgent starts the program with so many checks of one TCP target each, waits until every one has run, and
// returns where its page is.
func watchedAgent(b *testing.B, checks int) (address string, pid int) {
	b.Helper()
	address = pipetest.FreeAddress(b)
	dir := configured(b, map[string]string{
		"config.toml":  fmt.Sprintf("[[outputs.stdout]]\n[status]\nlisten = %q\n", address),
		"p.net/a.toml": checksOf(newTarget(b), checks),
	})
	cmd := runBinary(b, binaryOf(b), dir, nil)
	b.Cleanup(func() { end(cmd) })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if body, err := answer(address, "status"); err == nil && !strings.Contains(string(body), `"runs":0`) {
			return address, cmd.Process.Pid
		}
		if time.Now().After(deadline) {
			b.Fatal("the checks do not run")
		}
	}
}

// get asks the API.
func get(b *testing.B, address, what string) []byte {
	b.Helper()
	body, err := answer(address, what)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

func answer(address, what string) ([]byte, error) {
	response, err := http.Get("http://" + address + "/api/v1/" + what)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(response.Body)
}
