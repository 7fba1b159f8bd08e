package main

import (
	"strings"

	"catpaw/internal/measure"
)

// smallest and largest are the sizes between which a cost is seen to grow.
var smallest, largest = measure.Scales[0], measure.Scales[len(measure.Scales)-1]

// row is one thing that is measured.
type row struct {
	what    string // in words
	against string // what it is compared with in the same run; "" = nothing
	dir     string // the module that the benchmark is in, from the root
	pkg     string // its package, from there
	name    string // of the benchmark, without Benchmark; sub-benchmarks behind slashes
	grows   bool   // it is measured at several sizes: its last sub-benchmarks are those of measure.Scales
	at      string // of these, the one that the bound is for
	bounds  []bound
	limit   string // where the limit lies, of a bound that is out of reach here
}

// rows are in the order of the walk of an event: start, probes, burst, outputs, alerts.
var rows = []row{
	{what: "exec to first probe seen, 1 check", against: "a Go program that opens the same store and ends", pkg: "./cmd/catpaw", name: "Start/1", grows: true, bounds: []bound{ratio("ms", 3)}, limit: limitOfStart},
	{what: "exec to first probe seen, 1,000 checks", against: "a Go program that opens the same store and ends", pkg: "./cmd/catpaw", name: "Start/1000", grows: true, bounds: []bound{ratio("ms", 3)}, limit: limitOfStarts},
	{what: "idle, as it ships", pkg: "./cmd/catpaw", name: "Resident/Shipped", bounds: []bound{alone("MiB", 16)}},
	{what: "1,000 TCP checks each 10 s", pkg: "./cmd/catpaw", name: "Resident/Checks", grows: true, bounds: []bound{alone("MiB", 20)}},
	{what: "10,000 checks each 10 s, how late, while a status is asked ten times a second", against: "while nobody asks", pkg: "./cmd/catpaw", name: "Lateness"},
	{what: "1,000 checks while the page is open", against: "while it is not", pkg: "./cmd/catpaw", name: "Page", bounds: []bound{ratio("ms-cpu", 1.2)}},
	{what: "a status of 1,000 checks", pkg: "./cmd/catpaw", name: "Status", grows: true},
	{what: "the binary", pkg: "./cmd/catpaw", name: "Binary", bounds: []bound{alone("MiB-file", 18)}},

	{what: "10,000 TCP targets", against: "a bare dial loop", pkg: "./inputs/net", name: "Targets", grows: true, bounds: []bound{ratio("ms-cpu", 1.1), ratio("ms", 1.1)}},
	{what: "980 TCP targets beside 20 dead ones, last one seen", pkg: "./inputs/net", name: "DeadTargets", bounds: []bound{alone("ms-last-live", 200)}},
	{what: "5,000 HTTP targets", against: "a bare http.Client", pkg: "./inputs/http", name: "Targets", grows: true, bounds: []bound{ratio("ms-cpu", 1.15)}},
	{what: "1,000 targets pinged 3 times", against: "fping -i 1", pkg: "./inputs/ping", name: "Targets", grows: true, bounds: []bound{ratio("ms-cpu", 2), alone("ms-over", 300), alone("lost", 0)}},
	{what: "1 GiB through sfilter, `*CRITICAL*`", against: "cat | grep -c", pkg: "./inputs/sfilter", name: "Search/OneGlob", grows: true, bounds: []bound{ratio("ms", 1.1)}},
	{what: "1 GiB through sfilter, 20 globs", against: "cat | grep -c -e … -e …", pkg: "./inputs/sfilter", name: "Search/20Globs", grows: true, bounds: []bound{ratio("ms", 2)}},
	{what: "1 GiB through sfilter, 5 regexps", against: "cat | grep -cE -e … -e …", pkg: "./inputs/sfilter", name: "Search/5Regexps", grows: true, bounds: []bound{ratio("ms", 4)}},
	{what: "200,000 files through mtime, 100 a directory", against: "find -newermt", pkg: "./inputs/mtime", name: "Walk/HundredEach", grows: true, bounds: []bound{ratio("ms", 0.6)}, limit: limitOfWalks},
	{what: "200,000 files through mtime, one directory", against: "find -newermt", pkg: "./inputs/mtime", name: "Walk/OneDirectory", bounds: []bound{ratio("ms", 0.6)}, at: smallest.String(), limit: limitOfWalks},
	{what: "200,000 files through mtime, 4 a directory", against: "find -newermt", pkg: "./inputs/mtime", name: "Walk/FourEach", bounds: []bound{ratio("ms", 0.6)}, at: smallest.String(), limit: limitOfWalks},
	{what: "6,000 unchanged files through filechange", against: "a bare WalkDir that asks for each", pkg: "./inputs/filechange", name: "Unchanged", grows: true, bounds: []bound{ratio("ms-cpu", 1.5)}},
	{what: "100 procnum checks by arguments, 2,000 processes", against: "one pass over /proc by hand", pkg: "./inputs/procnum", name: "Instances/Cmdline", grows: true, bounds: []bound{ratio("ms-cpu", 1.3)}},
	{what: "100 procnum checks by name and arguments, 2,000 processes", against: "one pass over /proc by hand", pkg: "./inputs/procnum", name: "Instances/Both", grows: true, bounds: []bound{ratio("ms-cpu", 1.3)}},
	{what: "100,000 lines through journaltail", against: "journalctl -o json | wc -l", pkg: "./inputs/journaltail", name: "Lines", bounds: []bound{ratio("ms-cpu", 1.5)}},

	{what: "10,000 events, from the script to acknowledged", against: "the same with a store in memory", pkg: "./agent", name: "Durability", bounds: []bound{ratio("ms-cpu", 2)}},
	{what: "10,000 events to a webhook that takes 20 ms", against: "one POST after the other", pkg: "./cmd/catpaw", name: "Burst/SlowWebhook", grows: true, bounds: []bound{atLeast("events/s", 25)}},
	{what: "10,000 events to a webhook, a POST each", against: "a bare client, not durable", pkg: "./cmd/catpaw", name: "Burst/Webhook", grows: true, bounds: []bound{atLeast("events/s", 0.5)}},
	{what: "10,000 events to a webhook, 1,000 a POST", against: "a bare client, a POST each", pkg: "./cmd/catpaw", name: "Burst/Batches", grows: true, bounds: []bound{atLeast("events/s", 5)}, limit: limitOfBatches},
	{what: "10,000 events to a webhook, 1,000 a POST", against: "catpaw, a POST each", pkg: "./cmd/catpaw", name: "Burst/BatchesBesideEach"},
	{what: "200,000 events, from the script to stdout", against: "encoding and writing them, not durable", pkg: "./cmd/catpaw", name: "Burst/Stdout", grows: true, bounds: []bound{atLeast("events/s", 0.3)}},
	{what: "200,000 events, from the queue to stdout", against: "encoding and writing them, not durable", pkg: "./cmd/catpaw", name: "Queue/Fresh", bounds: []bound{atLeast("events/s", 0.7)}},
	{what: "200,000 late events, none of them over, from the queue to stdout", against: "encoding and writing them, not durable", pkg: "./cmd/catpaw", name: "Queue/Late", grows: true, bounds: []bound{atLeast("events/s", 0.7)}},
	{what: "200,000 events, from the queue to JetStream", against: "a bare client, not durable", dir: "test", pkg: "./natstest", name: "JetStream", grows: true, bounds: []bound{atLeast("events/s", 0.7)}},
	{what: "200,000 events, from the queue to Apache Kafka", against: "a bare client, not durable", dir: "test", pkg: "./kafkatest", name: "Kafka", grows: true, bounds: []bound{atLeast("events/s", 0.7)}},
	{what: "30,000 events to five webhooks, 1,000 a POST", against: "to one", pkg: "./cmd/catpaw", name: "FanOut/Batches", bounds: []bound{ratio("ms-cpu", 2.5)}},
	{what: "30,000 events to five webhooks, a POST each", against: "to one", pkg: "./cmd/catpaw", name: "FanOut/Each"},
	{what: "start with 100,000 queued events, first delivery", against: "start with one", pkg: "./cmd/catpaw", name: "RestartWithAFullQueue", bounds: []bound{ratio("ms", 10), above("MiB", 10)}},
	{what: "restart with a million live alerts (× 16)", against: "restart with none", pkg: "./cmd/catpaw", name: "LiveAlerts", grows: true, at: largest.String(), bounds: []bound{alone("B/alert", 500)}},
	{what: "tick to POST received, p99", against: "a bare POST, p99", pkg: "./cmd/catpaw", name: "Latency/Alone", grows: true, bounds: []bound{ratio("ms-p99", 5)}, limit: limitOfLatency},
	{what: "tick to POST received, p99", against: "a bare transaction on disk and a bare POST, p99", pkg: "./cmd/catpaw", name: "Latency/DiskAndPost"},
	{what: "tick to POST received, p99, beside a sink that hangs", against: "without it", pkg: "./cmd/catpaw", name: "Latency/BesideAHangingSink"},
}

// key is the name of the benchmark as results.txt has it.
func (r row) key() string { return strings.TrimPrefix(r.pkg, "./") + "." + r.name }

func (r row) keyAt(scale string) string { return strings.TrimSuffix(r.key()+"/"+scale, "/") }

// keys are those of all sizes.
func (r row) keys() (all []string) {
	for _, scale := range r.scales() {
		all = append(all, r.keyAt(scale))
	}
	return all
}

// scales are the sub-benchmarks by size; "" = there are none.
func (r row) scales() []string {
	switch {
	case r.grows:
		all := make([]string, len(measure.Scales))
		for i, scale := range measure.Scales {
			all[i] = scale.String()
		}
		return all
	case r.at != "":
		return []string{r.at}
	}
	return []string{""}
}

// judged are the scales that bounds need.
func (r row) judged() []string {
	if len(r.bounds) == 0 {
		return nil
	}
	return []string{r.boundAt()}
}

// boundAt is the scale that the bounds are for.
func (r row) boundAt() string {
	if r.grows && r.at == "" {
		return smallest.String()
	}
	return r.at
}
