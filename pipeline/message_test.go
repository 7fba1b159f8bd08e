package pipeline

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

const someID = "0193c0ffee00000000000000000000ff"

func TestTheWireHasSixFieldsInOrder(t *testing.T) {
	t.Parallel()
	m := NewMessage(&Event{
		Time: 1734339605, Status: Warning, AlertKey: "4f1b", Labels: L("check", "HTTP check failed", "target", "http://x/?a=1&b=<2>"),
		TitleRule: "$check", Description: "[MD]\n- **target**: x", ID: someID, FirstFireTime: 1734339600, NotifyCount: 2,
		Attrs: []Attr{{"total_seconds", 0.25}, {"status_code", int64(503)}, {"odd", math.NaN()}},
	})
	const wire = `{"event_time":1734339605,"event_status":"Warning","alert_key":"4f1b","labels":{"check":"HTTP check failed","target":"http://x/?a=1&b=<2>"},"title_rule":"$check","description":"[MD]\n- **target**: x"}`
	if string(m.Wire()) != wire {
		t.Errorf("wire\n%s\nwant\n%s", m.Wire(), wire)
	}
	want := strings.TrimSuffix(wire, "}") + `,"id":"` + someID + `","title":"HTTP check failed","first_fire_time":1734339600,"notify_count":2,"attrs":{"total_seconds":0.25,"status_code":503,"odd":"NaN"}}`
	if string(m.JSON()) != want || m.ID() != someID {
		t.Errorf("id %s, all\n%s\nwant\n%s", m.ID(), m.JSON(), want)
	}
	event, err := m.Event()
	if err != nil || event.Labels.Get("check") != "HTTP check failed" || event.NotifyCount != 2 || event.Status != Warning || len(event.Attrs) != 3 {
		t.Errorf("decoded %+v, %v", event, err)
	}
}

func TestBrokenRowsAreErrorsNotPanics(t *testing.T) {
	t.Parallel()
	good := appendMessage(nil, &Event{ID: someID, Labels: L("a", "b")})
	for n := range len(good) - 60 {
		if m, err := DecodeMessage("k", good[:n]); err == nil {
			if _, err := m.Event(); err == nil {
				t.Fatalf("%d of %d bytes were taken for an event", n, len(good))
			}
		}
	}
}

func FuzzStringsSurviveEncoding(f *testing.F) {
	f.Add("plain")
	f.Add("\x00\x1f\"\\\n\r\t\u2028é\xff\xfe😀")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Fatalf("%q is encoded as %s: %v", s, AppendString(nil, s), err)
		}
		want := s
		if !utf8.ValidString(s) {
			var std string
			text, _ := json.Marshal(s)
			json.Unmarshal(text, &std)
			want = std
		}
		if back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

func TestTitles(t *testing.T) {
	t.Parallel()
	labels := L("check", "disk full", "target", "/var", "empty", "")
	for rule, want := range map[string]string{
		"$check":                         "disk full",
		"$check::$target":                "disk full / /var",
		"$check::fixed words::$nope":     "disk full / fixed words / $nope",
		"[TPL]${check} on ${target}!":    "disk full on /var!",
		"[TPL]${nope} ${open ${check":    "${nope} ${open ${check",
		"[TPL]no label":                  "no label",
		"":                               "",
		"$empty":                         "",
		"  $check ":                      "disk full",
		"[TPL]${check}${check}${target}": "disk fulldisk full/var",
	} {
		if got := (&Event{TitleRule: rule, Labels: labels}).Title(); got != want {
			t.Errorf("%q gives %q, want %q", rule, got, want)
		}
	}
}

func TestSeveritiesAreReadInAnyCase(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Status{"critical": Critical, "WARNING": Warning, "Info": Info, "ok": Ok} {
		if got, err := ParseStatus(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := ParseSeverity("Ok"); err == nil {
		t.Error("Ok is no severity: it would silence the check")
	}
	if _, err := ParseStatus("bad"); err == nil {
		t.Error("bad is for probes only")
	}
}
