package alerting

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unique"

	"catpaw/pipeline"
)

// TestAskingForAnAlert: by every name that it is shown under.
func TestAskingForAnAlert(t *testing.T) {
	t.Parallel()
	var all []*entry
	for i, target := range []string{"http://a.example/health", "http://b.example/health", "/srv/data"} {
		plugin, check := "http", "HTTP check failed"
		if strings.HasPrefix(target, "/") {
			plugin, check = "mtime", "stale backup"
		}
		all = append(all, &entry{key: fmt.Sprintf("%dabcdef0", i), from: unique.Make(origin{Owner: plugin + "/1", TitleRule: "$check"}),
			Labels: pipeline.L("check", check, "target", target, "from_plugin", plugin, "from_hostname", "web1")})
	}
	for asked, want := range map[string]string{
		"0abcde": "0", "0abcd": "", "0abcdef0": "0", "0abcdef00": "",
		"http://a.example/health":                   "0",
		"HTTP check failed":                         "0 1",
		"HTTP check failed http://b.example/health": "1",
		"http":        "0 1", // from_plugin: a name, so that the parts of others do not count
		"http/1":      "0 1",
		"b.example":   "1",
		"*.example/*": "0 1",
		"STALE":       "2",
		"/srv":        "2",
		"web1":        "", // all are
		"*":           "0 1 2", "**": "0 1 2", "": "", "nothing like it": "",
	} {
		var got []string
		for _, e := range meant(all, asked) {
			got = append(got, e.key[:1])
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q means %v, want %q", asked, got, want)
		}
	}
}

// TestAKeyIsKnownByItsBeginning, so that who gives too little of it is told.
func TestAKeyIsKnownByItsBeginning(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("7d0c1e2f"))
	stories, _ := r.p.StoriesOf([]string{"exec/2", "exec/1"}, r.now)
	const key = "7d0c1e2f"
	if len(stories) != 1 || stories[0].Key != key {
		t.Fatalf("of the check are known %+v", stories)
	}
	for asked, want := range map[string]bool{key: true, key[:ShortestKey-1]: true, key[:1]: true, key[1:]: false, "nobody": false} {
		if r.p.BeginsKey(asked) != want {
			t.Errorf("%q begins %s: %t, want %t", asked, key, !want, want)
		}
	}
	if others, _ := r.p.StoriesOf([]string{"exec/2"}, r.now); len(others) > 0 {
		t.Errorf("of another check are known %+v", others)
	}
}

// TestWhatWasSeenIsShown, as far as there is memory for it.
func TestWhatWasSeenIsShown(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("a"), bads("b"))
	stories, _ := r.p.Stories("a", r.now)
	if stories[0].Sum(); stories[0].Description != "[MD]\n- **seen**: it" || stories[0].Seen != "seen: it" {
		t.Errorf("%+v", stories[0])
	}
	r.run(c, well, oks("a"), oks("b"))
	c.Policy.FlapWindow = 0
	r.run(c, well, oks("a"), oks("b"))
	if r.p.seen != 0 || r.p.alerts.taken != 0 {
		t.Errorf("%d bytes are left of %d alerts", r.p.seen, r.p.alerts.taken)
	}
	if stories, _ = r.p.Stories("a", r.now); stories[0].Description == "" {
		t.Error("of what is over, it is not known what it was")
	}
	full := &entry{}
	r.p.seen = mostSeen - 3
	r.p.see(full, "four")
	if full.seen != "" || r.p.seen != mostSeen-3 {
		t.Errorf("there was no room: %q, %d bytes", full.seen, r.p.seen)
	}
	if r.p.see(full, "two"); full.seen != "two" || r.p.seen != mostSeen {
		t.Errorf("there was room: %q, %d bytes", full.seen, r.p.seen)
	}
}
