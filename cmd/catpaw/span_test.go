package main

import (
	"strings"
	"testing"
	"time"

	"catpaw/agent/api"
)

func TestAHeartThatHasNotBeatenYet(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := api.Status{Heartbeat: &api.Heartbeat{Error: "dial tcp 127.0.0.1:1: refused"}}
	if err := printStatus(&out, s, time.Now(), false); err != nil {
		t.Fatal(err)
	}
	wantAll(t, out.String(), "heartbeat: none yet; dial tcp 127.0.0.1:1: refused\n")
}

func TestSpansAreForPeople(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{
		0:               "0s",
		0.0000123456:    "12.3µs",
		0.000268123:     "268µs",
		0.0123456:       "12.3ms",
		1.23456:         "1.23s",
		59.96:           "1m0s",
		12.3456:         "12.3s",
		83.4:            "1m23s",
		3600:            "1h0m",
		18773:           "5h13m",
		172800:          "48h0m",
		260000:          "3.01d",
		30 * 86400:      "30d",
		117852912.19005: "1364d",
		-90:             "-1m30s",
	} {
		if got := span(seconds); got != want {
			t.Errorf("%v: %q, want %q", seconds, got, want)
		}
	}
}
