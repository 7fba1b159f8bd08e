package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkThePage compares the CPU of an agent with 1,000 checks each 10 s while a page is open, which asks every
// 3 s, with that while none is, in windows that alternate; the time of a status of 10,000 checks with that of 1,000;
// and how late these 10,000 checks run while somebody asks ten times a second with how late they are while nobody does.
func BenchmarkThePage(b *testing.B) {
	const window = 20 * time.Second // two rounds of the checks
	for b.Loop() {
		address, pid := watchedAgent(b, 1000)
		cost := func(look func()) float64 {
			before := cpuOf(b, pid)
			for deadline := time.Now().Add(window); time.Now().Before(deadline); time.Sleep(3 * time.Second) {
				look()
			}
			return cpuOf(b, pid) - before
		}
		var without, with float64
		for range 3 {
			without += cost(func() {})
			with += cost(func() { get(address, "status"); get(address, "silences") })
		}
		b.ReportMetric(with/without, "cpu-ratio(bound=1.2)")
		small := statusTime(address)
		large, _ := watchedAgent(b, 10_000)
		b.ReportMetric(small*1000, "ms/status-of-1000")
		b.ReportMetric(statusTime(large)/small, "times-as-long-for-10000")
		lateness(b, large, func() {}) // the first runs come at once; only then each keeps its time
		b.ReportMetric(lateness(b, large, func() {})*1000, "ms-late-p99")
		b.ReportMetric(lateness(b, large, func() { get(large, "status") })*1000, "ms-late-p99-while-asked")
	}
}

// lateness is by how many seconds 99 of 100 checks that run each 10 s miss their time at most.
func lateness(b *testing.B, address string, look func()) float64 {
	b.Helper()
	const round = 10 * time.Second
	began := func() map[string]time.Time {
		var status struct {
			Checks []struct {
				ID    string    `json:"id"`
				Began time.Time `json:"last_run"`
			} `json:"checks"`
		}
		if err := json.Unmarshal(get(address, "status"), &status); err != nil {
			b.Fatal(err)
		}
		all := make(map[string]time.Time, len(status.Checks))
		for _, check := range status.Checks {
			all[check.ID] = check.Began
		}
		return all
	}
	before := began()
	for deadline := time.Now().Add(round); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		look()
	}
	var late []float64
	for id, at := range began() {
		since := at.Sub(before[id])
		late = append(late, (since - since.Round(round)).Abs().Seconds())
	}
	slices.Sort(late)
	return late[len(late)*99/100]
}

// watchedAgent starts the program with so many checks of one TCP target each, waits until every one has run, and
// returns where its page is.
func watchedAgent(b *testing.B, checks int) (address string, pid int) {
	b.Helper()
	target := listenAndHangUp(b)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address = free.Addr().String()
	free.Close()
	dir := filepath.Join(b.TempDir(), "c")
	var text strings.Builder
	text.WriteString("interval = 10\n")
	for i := range checks {
		fmt.Fprintf(&text, "[[instances]]\ntargets = [%q]\nlabels.n = '%d'\n", target, i)
	}
	for name, content := range map[string]string{
		"config.toml":  fmt.Sprintf("[[outputs.stdout]]\n[status]\nlisten = %q\n", address),
		"p.net/a.toml": text.String(),
	} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	cmd := runBinary(b, binaryOf(b), dir, nil)
	b.Cleanup(func() { end(cmd) })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if body := get(address, "status"); len(body) > 0 && !strings.Contains(string(body), `"runs":0`) {
			return address, cmd.Process.Pid
		}
		if time.Now().After(deadline) {
			b.Fatal("the checks do not run")
		}
	}
}

func listenAndHangUp(b *testing.B) (address string) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	return listener.Addr().String()
}

// get asks the API; nil where it does not answer.
func get(address, what string) []byte {
	response, err := http.Get("http://" + address + "/api/v1/" + what)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return body
}

func statusTime(address string) float64 {
	return middle(9, func() float64 {
		begun := time.Now()
		get(address, "status")
		return time.Since(begun).Seconds()
	})
}

// cpuOf is the CPU seconds of a process so far (proc(5), stat).
func cpuOf(b *testing.B, pid int) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skipf("no /proc here: %v", err)
	}
	const user, ticks = 11, 100 // fields behind the name, a second
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	sum := 0.0
	for _, field := range fields[user : user+2] {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += n / ticks
	}
	return sum
}
