package agent

import (
	"crypto/md5"
	"fmt"
	"strings"
	"testing"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors/labels"
)

// TestTheOriginalsConfigurationRunsUnchanged reads a directory as it was written for 0.8 and holds the
// alert keys that its alerts have there: the MD5 of exactly these labels.
func TestTheOriginalsConfigurationRunsUnchanged(t *testing.T) {
	t.Parallel()
	c := load(t, Source{Dir: "testdata/original", Vars: config.Vars{
		Named: map[string]string{"hostname": "web1", "ip": "10.1.2.3"}, Lookup: func(string) (string, bool) { return "", false },
	}})
	// What waits to be filled in watches nothing, as there; of several searches the first counts, as there.
	odd := []string{"p.procnum/procnum.toml:1: no search option is set", "p.procnum/procnum.toml:23: search_cmdline_substring has no effect", "p.sfilter/sfilter.toml:1: command is empty"}
	for i, warning := range odd {
		if len(c.Warnings) != len(odd) || !strings.Contains(c.Warnings[i], warning) {
			t.Fatalf("warnings %q", c.Warnings)
		}
	}
	if len(c.Checks) != 10 || len(c.Idle) != 3 { // of http one has no targets
		t.Errorf("%d checks, idle are %+v", len(c.Checks), c.Idle)
	}
	known := map[string]bool{}
	for _, check := range c.Checks {
		for _, own := range check.Input.(pipeline.Keyed).Keys() {
			own.Sort()
			known[labels.Key(pipeline.Merge(own, check.Labels))] = true
		}
	}
	const host = "from_agent:catpaw:from_hostip:10.1.2.3:from_hostname:web1:"
	var want []string
	for _, target := range []string{"http://127.0.0.1:8888/request", "https://127.0.0.1:8889/"} {
		for _, name := range []string{"HTTP check failed", "TLS cert will expire soon", "HTTP response status code not match", "HTTP response body not match"} {
			if name == "TLS cert will expire soon" && strings.HasPrefix(target, "http:") {
				continue
			}
			want = append(want, fmt.Sprintf("check:%s:env:production:%sfrom_plugin:http:method:GET:target:%s:team:devops:", name, host, target))
		}
	}
	for _, target := range []string{"127.0.0.1:22", "localhost:6379", "localhost:9090"} {
		want = append(want, fmt.Sprintf("check:tcp check:%sfrom_plugin:net:protocol:tcp:target:%s:", host, target))
	}
	want = append(want, fmt.Sprintf("check:udp check:%sfrom_plugin:net:protocol:udp:target:127.0.0.1:53:", host))
	for _, target := range []string{"127.0.0.1", "localhost"} {
		want = append(want, fmt.Sprintf("check:ping check:env:production:%sfrom_plugin:ping:target:%s:team:devops:", host, target))
	}
	want = append(want,
		"check:kernel log:env:production:"+host+"from_plugin:sfilter:",
		"check:关键文件变动检测:"+host+"from_plugin:filechange:",
		"check:递归检测新文件或文件变化:directory:/tmp:"+host+"from_plugin:mtime:",
		"check:nginx:"+host+"from_plugin:procnum:",
		"check:Critical System Errors:"+host+"from_plugin:journaltail:",
	)
	for _, text := range want {
		if !known[md5Hex(text)] {
			t.Errorf("no alert has the key of %s", text)
		}
	}
}

func md5Hex(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
