package api

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"catpaw/pipeline"
)

// writeMetrics writes the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).
// The names are a promise: testdata/metrics.txt holds them.
func writeMetrics(to io.Writer, s Status) error {
	w := &metrics{Writer: bufio.NewWriterSize(to, 1<<16)}
	w.one("catpaw_build_info", "gauge", "The version that runs.", 1, "version", s.Version)
	w.one("catpaw_start_time_seconds", "gauge", "When the agent started, in unix seconds.", unixSeconds(s.Started))
	w.one("catpaw_configuration_read_timestamp_seconds", "gauge", "When the running configuration was read, in unix seconds.", unixSeconds(s.Config.At))
	w.one("catpaw_configuration_refused", "gauge", "1 where the last reload was refused.", truth(s.Config.Refused != ""))
	w.one("catpaw_state_trouble", "gauge", "1 where alerts and queues cannot be kept on disk.", truth(s.State.Trouble != ""))
	if s.Heartbeat != nil {
		w.one("catpaw_heartbeat_up", "gauge", "0 where the last heartbeat was withheld or did not get through.", truth(s.Heartbeat.Error == ""))
		w.one("catpaw_heartbeat_last_timestamp_seconds", "gauge", "When the last heartbeat got through, in unix seconds.", unixSeconds(s.Heartbeat.LastBeat))
	}
	w.alerts(s.Alerts)
	w.checks(s.Checks)
	w.outputs(s.Outputs)
	return w.Flush()
}

type metrics struct{ *bufio.Writer }

func (w *metrics) head(name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes one value; labels are names and values in turn.
func (w *metrics) sample(name string, value float64, labels ...string) {
	w.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		w.WriteByte("{,"[min(i, 1)])
		w.WriteString(labels[i] + `="` + escapeLabel.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		w.WriteByte('}')
	}
	w.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func (w *metrics) one(name, kind, help string, value float64, labels ...string) {
	w.head(name, kind, help)
	w.sample(name, value, labels...)
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (w *metrics) alerts(alerts []Alert) {
	counts := map[[2]string]int{}
	for _, a := range alerts {
		counts[[2]string{a.Phase, a.Severity}]++
	}
	quiet := func(name, help string, of func(Alert) string) {
		n := 0
		for _, a := range alerts {
			if a.IsOpen() && of(a) != "" {
				n++
			}
		}
		w.one(name, "gauge", help, float64(n))
	}
	quiet("catpaw_alerts_muted", "Open alerts that are silenced or inhibited.", func(a Alert) string { return a.Muted })
	quiet("catpaw_alerts_acknowledged", "Open alerts that somebody has acknowledged.", func(a Alert) string { return a.Acked })
	w.head("catpaw_alerts", "gauge", "Open alerts.")
	for _, phase := range []string{"pending", "firing"} {
		for severity := pipeline.Info; severity <= pipeline.Critical; severity++ {
			w.sample("catpaw_alerts", float64(counts[[2]string{phase, severity.String()}]), "phase", phase, "severity", severity.String())
		}
	}
}

// family is one metric of each of several things.
type family[T any] struct {
	name, kind, help string
	value            func(T) float64
}

func writeFamilies[T any](w *metrics, families []family[T], all []T, labels func(T) []string) {
	for _, f := range families {
		w.head(f.name, f.kind, f.help)
		for _, one := range all {
			if value := f.value(one); !math.IsNaN(value) { // there is none yet
				w.sample(f.name, value, labels(one)...)
			}
		}
	}
}

func (w *metrics) checks(all []pipeline.CheckHealth) {
	type check = pipeline.CheckHealth
	w.head("catpaw_check_info", "gauge", "Where a check is configured and what it looks at.")
	for _, c := range all {
		w.sample("catpaw_check_info", 1, "check", c.ID, "plugin", c.Plugin, "at", c.Source, "looks_at", c.LooksAt)
	}
	writeFamilies(w, []family[check]{
		{"catpaw_check_runs_total", "counter", "Runs of the check that have ended.", func(c check) float64 { return float64(c.Runs) }},
		{"catpaw_check_skipped_ticks_total", "counter", "Ticks at which the check was still running.", func(c check) float64 { return float64(c.Skipped) }},
		{"catpaw_check_panics_total", "counter", "Panics of the probe.", func(c check) float64 { return float64(c.Panics) }},
		{"catpaw_check_failed", "gauge", "1 where the last run could not do its work.", func(c check) float64 { return truth(c.Error != "") }},
		{"catpaw_check_results", "gauge", "Results of the last run.", func(c check) float64 { return float64(c.Results) }},
		{"catpaw_check_bad_results", "gauge", "Results of the last run that were Info, Warning or Critical.", func(c check) float64 { return float64(c.Bad) }},
		{"catpaw_check_duration_seconds", "gauge", "How long the last run took.", func(c check) float64 { return c.Took }},
		{"catpaw_check_last_run_timestamp_seconds", "gauge", "When the last run began, in unix seconds.", func(c check) float64 { return orNone(unixSeconds(c.Began)) }},
	}, all, func(c check) []string { return []string{"check", c.ID, "plugin", c.Plugin} })
}

func (w *metrics) outputs(all []QueueStatus) {
	now := time.Now()
	writeFamilies(w, []family[QueueStatus]{
		{"catpaw_output_up", "gauge", "0 where the sink does not take events, or no output owns the queue.", func(q QueueStatus) float64 { return truth(!q.Orphan && q.FailsSince.IsZero()) }},
		{"catpaw_output_queued_events", "gauge", "Events that wait for the output.", func(q QueueStatus) float64 { return float64(q.Queued) }},
		{"catpaw_output_queued_bytes", "gauge", "Bytes of these events.", func(q QueueStatus) float64 { return float64(q.Bytes) }},
		{"catpaw_output_oldest_age_seconds", "gauge", "Age of the oldest event that waits.", func(q QueueStatus) float64 { return q.Age(now).Seconds() }},
		{"catpaw_output_dead_letters", "gauge", "Refused events that are kept.", func(q QueueStatus) float64 { return float64(q.Held) }},
		{"catpaw_output_accepted_events_total", "counter", "Events put into the queue.", func(q QueueStatus) float64 { return float64(q.Counts.Accepted) }},
		{"catpaw_output_delivered_events_total", "counter", "Events that the sink acknowledged.", func(q QueueStatus) float64 { return float64(q.Counts.Delivered) }},
		{"catpaw_output_refused_events_total", "counter", "Events that the sink refused for good.", func(q QueueStatus) float64 { return float64(q.Counts.Dead) }},
		{"catpaw_output_merged_events_total", "counter", "Events that a later one of their alert told with.", func(q QueueStatus) float64 { return float64(q.Counts.Merged) }},
		{"catpaw_output_lost_events_total", "counter", "Events given up: the queue was full, or damaged.", func(q QueueStatus) float64 { return float64(q.Counts.Lost) }},
		{"catpaw_output_purged_events_total", "counter", "Events thrown away by hand.", func(q QueueStatus) float64 { return float64(q.Counts.Purged) }},
	}, all, func(q QueueStatus) []string { return []string{"output", q.Name} })
}

func orNone(seconds float64) float64 {
	if seconds == 0 {
		return math.NaN()
	}
	return seconds
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
