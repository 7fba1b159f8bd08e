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
	"slices"
	"strings"
	"testing"
	"time"

	"catpaw/agent/api"
	"catpaw/internal/measure"
	"catpaw/pipeline/pipetest"
)

const (
	pause = 100 * time.Millisecond // between two ticks of a check: there is no shorter one
	turns = 6                      // checks, whose ticks the scheduler spreads: 8 ms lie between them
	looks = 1000                   // ticks that are looked at, so that the 99th percentile is none of the last few
)

// BenchmarkLatency compares the 99th percentile of the time from the tick of a check to the moment when the webhook has
// the request with that of a bare POST, as many a second. Of several events of one tick the last one counts.
func BenchmarkLatency(b *testing.B) {
	binary := binaryOf(b)
	b.Run("Alone", func(b *testing.B) {
		measure.Grow(b, 1, func(b *testing.B, n int) {
			measure.Compare(b,
				func() measure.Figures { return tickToPost(b, binary, n, "") },
				func() measure.Figures { return barePosts(b, n, func() {}) })
		})
	})
	b.Run("DiskAndPost", func(b *testing.B) { // beside what no store that keeps its promise can do without
		measure.Compare(b,
			func() measure.Figures { return tickToPost(b, binary, 1, "") },
			func() measure.Figures { return barePosts(b, 1, bareTransaction(b)) })
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

// tickToPost has the targets of checks fail again and again, each failure an event.
func tickToPost(b *testing.B, binary string, targets int, other string) measure.Figures {
	b.Helper()
	sink, posted := newTimed(b)
	files := map[string]string{"config.toml": fmt.Sprintf("[[outputs.webhook]]\nurl = %q\nconcurrency = 16\n%s", sink, other)}
	ports := pipetest.FreePorts(b, turns*targets)
	for check := range turns {
		refused := make([]string, targets)
		for i := range refused {
			refused[i] = fmt.Sprintf(`"127.0.0.1:%d"`, ports[check*targets+i])
		}
		files[fmt.Sprintf("p.net/%d.toml", check)] = fmt.Sprintf("[[instances]]\ninterval = %g\nalerting.repeat_interval = 0\nlabels.turn = '%d'\ntargets = [%s]\n",
			pause.Seconds(), check, strings.Join(refused, ","))
	}
	dir := configured(b, files)
	cmd := runBinary(b, binary, dir, nil)
	defer end(cmd)
	for check := range turns {
		for range 20 * targets { // until all connections are there
			postedAt(b, posted[check])
		}
	}
	client, err := api.Dial(filepath.Join(filepath.Dir(dir), "state.d"))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	var took []float64
	for len(took) < looks {
		for check, due := range nextTicks(b, client) {
			var last time.Time
			for seen := 0; seen < targets; {
				if last = postedAt(b, posted[check]); last.After(due) { // else it is of a tick before
					seen++
				}
			}
			took = append(took, measure.Milliseconds(last.Sub(due)))
		}
	}
	return percentiles(took)
}

// newTimed is a sink that tells when each event came, by the check that it is of.
func newTimed(b *testing.B) (url string, posted [turns]chan time.Time) {
	for i := range posted {
		posted[i] = make(chan time.Time, 1<<16)
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now()
		body, _ := io.ReadAll(r.Body)
		for i := range posted {
			if bytes.Contains(body, fmt.Appendf(nil, `"turn":"%d"`, i)) {
				posted[i] <- now
			}
		}
	}))
	b.Cleanup(server.Close)
	return server.URL, posted
}

func postedAt(b *testing.B, posted <-chan time.Time) time.Time {
	b.Helper()
	select {
	case at := <-posted:
		return at
	case <-time.After(time.Minute):
		b.Fatal("nothing is posted any more")
	}
	return time.Time{}
}

// nextTicks is when each check is due next.
func nextTicks(b *testing.B, client *api.Client) (due [turns]time.Time) {
	b.Helper()
	status, err := client.Status()
	if err != nil {
		b.Fatal(err)
	}
	for _, check := range status.Checks {
		var turn int
		if _, err := fmt.Sscanf(filepath.Base(check.Source), "%d.toml", &turn); err == nil {
			due[turn] = check.Next
		}
	}
	return due
}

// bareTransaction writes what a transaction of one event makes bbolt write, as safely: some pages, then, when the disk has
// them, the one that makes them count.
func bareTransaction(b *testing.B) func() {
	b.Helper()
	const page, pages = 4096, 8
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	text := make([]byte, page)
	write := func(at int64) {
		if _, err := file.WriteAt(text, at*page); err != nil {
			b.Fatal(err)
		}
	}
	sync := func() {
		if err := syncData(file); err != nil {
			b.Fatal(err)
		}
	}
	for at := range int64(16 * pages) {
		write(at)
	}
	sync()
	return func() {
		for at := range int64(pages) {
			write(1 + at*at)
		}
		sync()
		write(0)
		sync()
	}
}

// barePosts sends so many requests at a time, each time after something else, by a bare client with connections that are
// kept.
func barePosts(b *testing.B, atATime int, first func()) measure.Figures {
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
	for range looks + 1 {
		time.Sleep(pause / turns)
		begun := time.Now()
		first()
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
