//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"catpaw/agent/api"
	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const (
	pause = 100 * time.Millisecond // between two ticks
	looks = 100                    // ticks that are looked at
)

// BenchmarkLatency compares the 99th percentile of the time from the tick of a check to the moment when the webhook has
// the request with that of a bare POST, both once in 0.1 s. Of several events of one tick the last one counts.
func BenchmarkLatency(b *testing.B) {
	binary := binaryOf(b)
	b.Run("Alone", func(b *testing.B) {
		measure.Grow(b, 1, func(b *testing.B, n int) {
			measure.Compare(b,
				func() measure.Figures { return tickToPost(b, binary, n, "") },
				func() measure.Figures { return barePosts(b, n) })
		})
	})
	b.Run("BesideAHangingSink", func(b *testing.B) {
		hangs, release := hanging(b)
		defer release()
		measure.Compare(b,
			func() measure.Figures {
				return tickToPost(b, binary, 1, fmt.Sprintf("[[outputs.webhook]]\nname = 'bad'\nurl = %q\n", hangs))
			},
			func() measure.Figures { return tickToPost(b, binary, 1, "") })
	})
}

func hanging(b *testing.B) (url string, release func()) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-hold
	}))
	b.Cleanup(server.Close)
	return server.URL, func() { close(hold) }
}

// tickToPost has targets fail again and again, each failure an event.
func tickToPost(b *testing.B, binary string, targets int, other string) measure.Figures {
	b.Helper()
	posted := make(chan time.Time, 4*looks*targets)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		posted <- time.Now()
		io.Copy(io.Discard, r.Body)
	}))
	defer sink.Close()
	refused := make([]string, targets)
	for i, port := range pipetest.FreePorts(b, targets) {
		refused[i] = fmt.Sprintf(`"127.0.0.1:%d"`, port)
	}
	dir := configured(b, map[string]string{
		"config.toml":  fmt.Sprintf("[[outputs.webhook]]\nurl = %q\nconcurrency = 16\n%s", sink.URL, other),
		"p.net/a.toml": fmt.Sprintf("[[instances]]\ninterval = %g\nalerting.repeat_interval = 0\ntargets = [%s]\n", pause.Seconds(), strings.Join(refused, ",")),
	})
	cmd := runBinary(b, binary, dir, nil)
	defer end(cmd)
	for range 20 * targets { // until all connections are there
		<-posted
	}
	client, err := api.Dial(filepath.Join(filepath.Dir(dir), "state.d"))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	var took []float64
	for len(took) < looks {
		due := nextTick(b, client)
		if time.Until(due) < pause/3 { // too near: what belongs to which tick could not be told
			time.Sleep(time.Until(due) + pause/3)
			continue
		}
		for len(posted) > 0 {
			<-posted
		}
		var last time.Time
		for range targets {
			last = <-posted
		}
		took = append(took, measure.Milliseconds(last.Sub(due)))
	}
	return percentiles(took)
}

func nextTick(b *testing.B, client *api.Client) time.Time {
	b.Helper()
	status, err := client.Status()
	check := slices.IndexFunc(status.Checks, func(c pipeline.CheckHealth) bool { return c.Plugin == "net" })
	if err != nil || check < 0 {
		b.Fatal(len(status.Checks), err)
	}
	return status.Checks[check].Next
}

// barePosts sends so many requests at a time, by a bare client with connections that are kept.
func barePosts(b *testing.B, atATime int) measure.Figures {
	b.Helper()
	posted := make(chan time.Time, atATime)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		posted <- time.Now()
		io.Copy(io.Discard, r.Body)
	}))
	defer sink.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	event := pipetest.BurstMessage().JSON()
	var took []float64
	for range looks {
		time.Sleep(pause)
		begun := time.Now()
		for range atATime {
			go post(client, sink.URL, event)
		}
		var last time.Time
		for range atATime {
			last = <-posted
		}
		took = append(took, measure.Milliseconds(last.Sub(begun)))
	}
	return percentiles(took[1:]) // the first one connects
}

func percentiles(took []float64) measure.Figures {
	slices.Sort(took)
	return measure.Figures{"ms-p50": took[len(took)/2], "ms-p99": took[len(took)*99/100]}
}
