//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"catpaw/agent/api"
)

// profile is what the running agent of this configuration directory says of itself in net/http/pprof's plain text. No
// connection is kept: it would be one of the files and goroutines that are counted.
func profile(t testing.TB, dir, name string) string {
	t.Helper()
	socket := api.SocketPath(filepath.Join(filepath.Dir(dir), "state.d"))
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	response, err := client.Get("http://catpaw/debug/pprof/" + name + "?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", name, response.Status, err)
	}
	return string(text)
}

// goroutines is how many the agent has, those that answer this among them.
func goroutines(t testing.TB, dir string) float64 {
	t.Helper()
	return behind(t, profile(t, dir, "goroutine"), "goroutine profile: total ")
}

// allocations is what an agent has allocated since it began.
type allocations struct{ number, bytes float64 }

func allocated(t testing.TB, dir string) allocations {
	t.Helper()
	text := profile(t, dir, "heap")
	return allocations{behind(t, text, "# Mallocs = "), behind(t, text, "# TotalAlloc = ")}
}

func (a allocations) less(b allocations) allocations {
	return allocations{a.number - b.number, a.bytes - b.bytes}
}

// behind is the number that stands behind some words.
func behind(t testing.TB, text, words string) float64 {
	t.Helper()
	_, rest, _ := strings.Cut(text, words)
	number, _, _ := strings.Cut(rest, "\n")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		t.Fatal(fmt.Errorf("no number behind %q: %w", words, err))
	}
	return value
}
