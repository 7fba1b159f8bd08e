package processors

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"catpaw/pipeline"
	"catpaw/processors/alerting"
)

const sets = 1000

var fromConfiguration = pipeline.L("env", "production", "from_agent", "catpaw", "from_hostip", "10.211.55.3",
	"from_hostname", "web1.example.org", "from_plugin", "net", "team", "devops")

func ownLabels(i int) pipeline.Labels {
	return pipeline.L("target", fmt.Sprintf("10.0.%d.%d:9090", i/250, i%250), "protocol", "tcp", "check", "tcp check")
}

// BenchmarkAllIsWell is the way of nearly every result: labels merged, key computed, nothing to tell.
// Its comparison is what the key alone must cost: the MD5 of the same labels.
func BenchmarkAllIsWell(b *testing.B) {
	check := &pipeline.Check{ID: "net/1", Plugin: "net", Policy: pipeline.DefaultPolicy(), Labels: fromConfiguration}
	last := alerting.New(zap.NewNop())
	last.Configure([]*pipeline.Check{check}, func(string) bool { return true })
	chain := Chain(last)
	run := &pipeline.Run{Check: check}
	var labels [sets]pipeline.Labels
	var texts [sets][]byte
	for i := range sets {
		labels[i] = ownLabels(i)
		own := ownLabels(i)
		own.Sort()
		for _, label := range pipeline.Merge(own, fromConfiguration) {
			texts[i] = append(texts[i], label.Key+":"+label.Value+":"...)
		}
	}
	var spent, bare time.Duration
	events := make([]pipeline.Event, sets)
	batch := &pipeline.Batch{Results: make([]pipeline.Result, sets)}
	b.ReportAllocs()
	for b.Loop() {
		for i := range sets {
			events[i] = pipeline.Event{Status: pipeline.Ok, Labels: append(pipeline.Labels(nil), labels[i]...)}
			batch.Results[i] = pipeline.Result{Run: run, Event: &events[i]}
		}
		start := time.Now()
		for _, processor := range chain {
			processor.Process(batch)
		}
		middle := time.Now()
		for i := range texts {
			sum := md5.Sum(texts[i])
			_ = hex.EncodeToString(sum[:])
		}
		spent, bare = spent+middle.Sub(start), bare+time.Since(middle)
	}
	n := float64(b.N * sets)
	b.ReportMetric(float64(spent.Nanoseconds())/n, "ns/result")
	b.ReportMetric(float64(bare.Nanoseconds())/n, "ns/md5")
	b.ReportMetric(float64(spent)/float64(bare), "ratio(bound=5)")
}
