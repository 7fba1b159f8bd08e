package labels

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"catpaw/pipeline"
)

func TestTheKeyIsTheOneThatSinksKnow(t *testing.T) {
	t.Parallel()
	check := &pipeline.Check{Labels: pipeline.L("from_agent", "catpaw", "from_hostip", "10.211.55.3",
		"from_hostname", "ubuntu-linux-22-04-desktop", "from_plugin", "http")}
	event := &pipeline.Event{AlertKey: "supplied by a script", Labels: pipeline.L(
		"target", "http://127.0.0.1:8888/request", "method", "GET", "check", "HTTP check failed")}
	New().Process(&pipeline.Batch{Results: []pipeline.Result{{Run: &pipeline.Run{Check: check}, Event: event}, {Run: &pipeline.Run{Check: check}, End: &pipeline.RunEnd{}}}})
	if event.AlertKey != "4f1b21a435253bf868a1249d3ba7715f" {
		t.Errorf("alert key %s of %v", event.AlertKey, event.Labels)
	}
}

func TestTheConfigurationWinsOverTheProbe(t *testing.T) {
	t.Parallel()
	check := &pipeline.Check{Labels: pipeline.L("env", "prod", "from_plugin", "exec")}
	event := &pipeline.Event{Labels: pipeline.L("from_plugin", "forged", "env", "dev", "a", "1", "z", "2")}
	New().Process(&pipeline.Batch{Results: []pipeline.Result{{Run: &pipeline.Run{Check: check}, Event: event}}})
	if got := event.Labels.String(); got != "a=1 env=prod from_plugin=exec z=2" {
		t.Errorf("merged to %s", got)
	}
}

// TestMergeAgreesWithMaps compares with the plainest way to do it.
func TestMergeAgreesWithMaps(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	set := func() map[string]string {
		m := map[string]string{}
		for range random.IntN(8) {
			m[fmt.Sprint("k", random.IntN(12))] = fmt.Sprint(random.IntN(100))
		}
		return m
	}
	for range 2000 {
		low, high := set(), set()
		both := maps.Clone(low)
		maps.Copy(both, high)
		want := ""
		for _, key := range slices.Sorted(maps.Keys(both)) {
			want += key + ":" + both[key] + ":"
		}
		sum := md5.Sum([]byte(want))
		if got := Key(pipeline.Merge(pipeline.LabelsOf(low), pipeline.LabelsOf(high))); got != hex.EncodeToString(sum[:]) {
			t.Fatalf("low %v, high %v: another key", low, high)
		}
	}
}
