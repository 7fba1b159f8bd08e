package alerting

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unique"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"catpaw/pipeline"
	"catpaw/store"
)

// rig drives a processor by hand on a virtual clock.
type rig struct {
	t      *testing.T
	p      *Processor
	now    time.Time
	states map[string][]byte // what a store would hold
	logs   *observer.ObservedLogs
	told   []*pipeline.Event // by the last batch
}

func newRig(t *testing.T) *rig {
	core, logs := observer.New(zap.DebugLevel)
	return &rig{t: t, p: New(zap.New(core)), now: epoch, states: map[string][]byte{}, logs: logs}
}

func check(id string, change func(*pipeline.Check)) *pipeline.Check {
	c := &pipeline.Check{ID: id, Content: "1", Plugin: strings.Split(id, "/")[0], Source: id + ".toml:1", Policy: policy(nil)}
	if change != nil {
		change(c)
	}
	return c
}

// finding is one event of a run: its alert key, status and source.
type finding struct {
	key    string
	status pipeline.Status
	source string
}

// run passes one whole run of a check and returns what was told, as "key:status(count)".
func (r *rig) run(c *pipeline.Check, end pipeline.RunEnd, found ...finding) []string {
	r.now = r.now.Add(time.Second)
	run := &pipeline.Run{Check: c, Started: r.now}
	b := &pipeline.Batch{Now: r.now}
	for _, f := range found {
		b.Results = append(b.Results, pipeline.Result{Run: run, Event: &pipeline.Event{
			Time: r.now.Unix(), Status: f.status, AlertKey: f.key, Source: f.source,
			Labels: pipeline.L("check", f.key), TitleRule: "$check", Description: "[MD]\n- **seen**: it",
		}})
	}
	b.Results = append(b.Results, pipeline.Result{Run: run, End: &end})
	return r.process(b)
}

func (r *rig) process(b *pipeline.Batch) (told []string) {
	b.Now = r.now
	r.p.Process(b)
	for _, state := range b.States {
		if state.Data == nil {
			delete(r.states, state.Key)
		} else {
			r.states[state.Key] = state.Data
		}
	}
	r.told = b.Notify
	for _, e := range b.Notify {
		told = append(told, e.AlertKey+":"+e.Status.String())
		if e.FirstFireTime == 0 || e.NotifyCount == 0 || len(e.Labels) == 0 {
			r.t.Errorf("notification without its story: %+v", e)
		}
		if len(e.Description) > pipeline.MaxDescription {
			r.t.Errorf("description of %d bytes", len(e.Description))
		}
	}
	return told
}

func (r *rig) want(got []string, want string) {
	r.t.Helper()
	if text := strings.Join(got, " "); text != want {
		r.t.Fatalf("told %q, want %q", text, want)
	}
}

var well = pipeline.RunEnd{Well: true}

func bads(key string) finding { return finding{key, pipeline.Warning, ""} }
func oks(key string) finding  { return finding{key, pipeline.Ok, ""} }

func TestWhatARunNoLongerMentionsIsOver(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.want(r.run(c, well, bads("a"), bads("b")), "a:Warning b:Warning")
	r.want(r.run(c, pipeline.RunEnd{Well: false}, bads("a")), "")
	r.want(r.run(c, pipeline.RunEnd{Well: true, Incomplete: map[string]bool{"": true}}), "")
	r.want(r.run(c, well, bads("a")), "b:Ok")
	r.want(r.run(c, well), "a:Ok")
	if r.p.alerts.taken != 0 || len(r.p.byOwner) != 0 || len(r.states) != 0 {
		t.Errorf("left behind: %d alerts, %d owners, %d states", r.p.alerts.taken, len(r.p.byOwner), len(r.states))
	}
}

func TestASourceThatFailedKeepsItsAlerts(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, finding{"a", pipeline.Warning, "one.sh"}, finding{"b", pipeline.Warning, "two.sh"})
	r.want(r.run(c, pipeline.RunEnd{Well: true, Incomplete: map[string]bool{"one.sh": true}}), "b:Ok")
	r.want(r.run(c, well), "a:Ok")
}

func TestRunsThatFailedDoNotCountAsTime(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", func(c *pipeline.Check) { c.Policy.ForDuration = seconds(3) })
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.want(r.run(c, well, bads("a")), "")
	for range 5 {
		r.want(r.run(c, pipeline.RunEnd{}), "")
	}
	r.want(r.run(c, well, bads("a")), "")
	r.want(r.run(c, well, bads("a")), "")
	r.want(r.run(c, well, bads("a")), "")
	r.want(r.run(c, well, bads("a")), "a:Warning")
}

func TestResolveAbsentCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", func(c *pipeline.Check) { c.Policy.ResolveAbsent = false })
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("a"))
	r.want(r.run(c, well), "")
	r.want(r.run(c, well, oks("a")), "a:Ok")
}

func TestAlertsOfARemovedCheckEndAtOnce(t *testing.T) {
	t.Parallel()
	r, gone, other := newRig(t), check("exec/1", nil), check("exec/2", nil)
	r.p.Configure([]*pipeline.Check{gone, other}, everyPlugin)
	r.run(gone, well, bads("a"))
	r.run(other, well)
	r.p.Configure([]*pipeline.Check{other}, everyPlugin)
	r.want(r.process(&pipeline.Batch{}), "a:Ok")
}

func TestLateResultsOfARemovedCheckDoNotCount(t *testing.T) {
	t.Parallel()
	r, gone := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{gone}, everyPlugin)
	changed := check("exec/1", func(c *pipeline.Check) { c.Content = "2" })
	r.p.Configure([]*pipeline.Check{changed}, everyPlugin)
	r.want(r.run(gone, well, bads("a")), "")
	r.p.Configure(nil, everyPlugin)
	r.want(r.run(changed, well, bads("a")), "")
}

func TestAChangedCheckMayClaimItsAlerts(t *testing.T) {
	t.Parallel()
	r, old := newRig(t), check("exec/1", nil)
	changed := check("exec/2", nil) // other options, so another ID
	r.p.Configure([]*pipeline.Check{old}, everyPlugin)
	r.want(r.run(old, well, bads("a"), bads("b")), "a:Warning b:Warning")
	r.p.Configure([]*pipeline.Check{changed}, everyPlugin)
	r.want(r.process(&pipeline.Batch{}), "")
	r.want(r.run(changed, pipeline.RunEnd{}), "")
	r.want(r.run(changed, well, bads("a")), "b:Ok")
	r.want(r.run(changed, well, oks("a")), "a:Ok")
}

func TestACheckThatKeepsFailingDoesNotHoldOrphansForEver(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]pipeline.RunEnd{
		"the check": {}, "everything": {Well: true, Incomplete: map[string]bool{"": true}}, "the same source": {Well: true, Incomplete: map[string]bool{"s": true}},
	} {
		r, old, changed := newRig(t), check("exec/1", nil), check("exec/2", nil)
		r.p.Configure([]*pipeline.Check{old}, everyPlugin)
		r.run(old, well, finding{"a", pipeline.Warning, "s"}, finding{"b", pipeline.Warning, "s"})
		r.p.Configure([]*pipeline.Check{changed}, everyPlugin)
		r.want(r.run(changed, end), "")
		r.want(r.run(changed, end, finding{"b", pipeline.Warning, "s"}), "")
		if got := strings.Join(r.run(changed, end), " "); got != "a:Ok" {
			t.Errorf("%s fails: told %q", name, got)
		}
	}
	r, old, changed := newRig(t), check("exec/1", nil), check("exec/2", nil)
	r.p.Configure([]*pipeline.Check{old}, everyPlugin)
	r.run(old, well, finding{"a", pipeline.Warning, "s"})
	r.p.Configure([]*pipeline.Check{changed}, everyPlugin)
	r.want(r.run(changed, pipeline.RunEnd{Well: true, Incomplete: map[string]bool{"another": true}}), "a:Ok")
}

func TestAnAlertWhoseLabelsChangedIsOverUnderItsOldKey(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", func(c *pipeline.Check) { c.Policy.ResolveAbsent = false })
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("old"))
	relabelled := check("exec/1", func(c *pipeline.Check) { c.Policy.ResolveAbsent, c.Content = false, "2" })
	r.p.Configure([]*pipeline.Check{relabelled}, everyPlugin)
	r.want(r.run(relabelled, well, bads("new")), "new:Warning old:Ok")
}

func TestDisablingAlertingEndsTheAlert(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("a"))
	off := check("exec/1", func(c *pipeline.Check) { c.Policy.Enabled, c.Content = false, "2" })
	r.p.Configure([]*pipeline.Check{off}, everyPlugin)
	r.want(r.run(off, well, bads("a"), bads("b")), "a:Ok")
	r.want(r.run(off, well, bads("a")), "")
}

func TestAlertsLiveOnOverARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := check("exec/1", func(c *pipeline.Check) { c.Policy.RepeatNumber = 1 })
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.want(r.run(c, well, bads("a"), bads("b"), bads("c")), "a:Warning b:Warning c:Warning")

	next := newRig(t)
	next.now = r.now.Add(time.Hour)
	next.p.Restore(append(r.saved(), store.State{Key: "12345678", Data: []byte("{broken")}))
	next.p.Configure([]*pipeline.Check{c}, everyPlugin)
	next.want(next.process(&pipeline.Batch{}), "")
	next.want(next.run(c, well, bads("a"), oks("b")), "b:Ok c:Ok")
	if n := next.logs.FilterMessageSnippet("cannot be read").Len(); n != 1 {
		t.Errorf("%d lines about the broken state", n)
	}
}

func TestAlertsOfAPluginThatIsGoneAfterARestartEnd(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("net/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.run(c, well, bads("a"))
	next, other := newRig(t), check("exec/1", nil)
	next.p.Restore(r.saved())
	next.p.Configure([]*pipeline.Check{other}, everyPlugin)
	next.want(next.process(&pipeline.Batch{}), "a:Ok")
}

func TestTwoChecksUnderOneKeyDoNotFight(t *testing.T) {
	t.Parallel()
	r, one, two := newRig(t), check("exec/1", nil), check("exec/2", nil)
	r.p.Configure([]*pipeline.Check{one, two}, everyPlugin)
	r.want(r.run(one, well, bads("a")), "a:Warning")
	for range 3 {
		r.want(r.run(two, well, oks("a")), "")
		r.want(r.run(one, well, bads("a")), "")
	}
	r.want(r.run(one, well, oks("a")), "a:Ok")
	r.want(r.run(two, well, bads("a")), "a:Warning")
	if n := r.logs.FilterMessageSnippet("one alert key").Len(); n != 1 {
		t.Errorf("%d complaints, want 1", n)
	}
}

func TestOneRunThatSaysBadAndOkUnderOneKeyStaysBad(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.want(r.run(c, well, bads("a"), oks("a")), "a:Warning")
	r.want(r.run(c, well, bads("a"), oks("a")), "")
	r.want(r.run(c, well, oks("a")), "a:Ok")
}

func TestOneRunThatSaysOkAndThenBadIsNotToldEveryTime(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	r.want(r.run(c, well, oks("a"), bads("a")), "a:Warning")
	r.want(r.run(c, well, oks("a"), bads("a")), "a:Ok a:Warning") // only now it shows
	for range 3 {
		r.want(r.run(c, well, oks("a"), bads("a")), "")
	}
	r.want(r.run(c, well, oks("a")), "a:Ok")
	if len(r.p.recovered) != 0 || r.logs.FilterMessageSnippet("both bad and Ok").Len() != 1 {
		t.Errorf("left %v, complained %d times", r.p.recovered, r.logs.Len())
	}
}

func TestTheStoryIsTold(t *testing.T) {
	t.Parallel()
	told := &pipeline.Event{Time: 1310, Status: pipeline.Ok, Description: "[MD]\n- **x**: " + strings.Repeat("é", 2000)}
	explain(told, Alert{FirstFire: 1000, Count: 3, Severity: pipeline.Warning}, Alert{}, Recover)
	if !strings.HasSuffix(told.Description, "\n- **alert**: it was Warning, for 5m10s, and told 3 times") || told.NotifyCount != 3 || told.FirstFireTime != 1000 {
		t.Errorf("told %+v", told)
	}
	told = &pipeline.Event{Time: 1310, Status: pipeline.Critical, Description: "plain"}
	explain(told, Alert{Told: pipeline.Info}, Alert{FirstFire: 1000, Told: pipeline.Critical}, Rise)
	if told.Description != "plain\nit got worse: Info, now Critical; bad for 5m10s" {
		t.Errorf("told %q", told.Description)
	}
}

// TestAllIsWellCostsNoMemory holds that good results leave nothing behind.
func TestAllIsWellCostsNoMemory(t *testing.T) {
	t.Parallel()
	r, c := newRig(t), check("exec/1", nil)
	r.p.Configure([]*pipeline.Check{c}, everyPlugin)
	for range 100 {
		r.want(r.run(c, well, oks("a"), oks("b")), "")
	}
	if r.p.alerts.taken+len(r.p.byOwner)+len(r.states) != 0 {
		t.Error("good results left something behind")
	}
}

func everyPlugin(string) bool { return true }

func TestAnAlertIsKeptWhole(t *testing.T) {
	t.Parallel()
	now := time.Now().Round(0)
	e := &entry{
		key: "k", id: 7, stale: true, from: unique.Make(origin{"exec/1", "a \"b\"", "$check"}), Labels: pipeline.L("a", "\x01é", "check", "c"), told: &audience{[]string{"x", "y"}}, extra: &extra{ack: "root knows"},
		Alert: Alert{
			Phase: Firing, Severity: pipeline.Critical, Told: pipeline.Warning, Worst: pipeline.Info, FirstFire: 5, BadFor: 6, Bad: 7, Good: 8,
			Count: 9, Sent: 10, At: now, Flaps: 11, Acked: true,
		},
	}
	for i := range reflect.TypeOf(e.Alert).NumField() {
		if reflect.ValueOf(e.Alert).Field(i).IsZero() {
			t.Errorf("the test does not set %s", reflect.TypeOf(e.Alert).Field(i).Name)
		}
	}
	over := &entry{key: "k", id: 1, stale: true, from: unique.Make(origin{}), Labels: pipeline.Labels{}, Alert: Alert{Phase: Recovered, At: now}}
	for _, want := range []*entry{e, over, {key: "k", id: 1, stale: true, from: unique.Make(origin{}), Labels: pipeline.Labels{}}} {
		if got, err := newDecoder().decode(New(zap.NewNop()).encode(want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
		}
	}
}

// saved is what a store would hold.
func (r *rig) saved() (states []store.State) {
	for key, data := range r.states {
		states = append(states, store.State{Key: key, Data: data})
	}
	return states
}

func TestOfAnAlertThatWasKeptTwiceTheLaterCounts(t *testing.T) {
	t.Parallel()
	c := check("exec/1", nil)
	kept := func() []store.State {
		r := newRig(t)
		r.p.Configure([]*pipeline.Check{c}, everyPlugin)
		r.run(c, well, bads("a"))
		return r.saved()
	}
	first, second := kept(), kept()
	for _, states := range [][]store.State{append(first, second...), append(second, first...)} {
		next := newRig(t)
		next.p.Restore(states)
		next.p.Configure([]*pipeline.Check{c}, everyPlugin)
		b := &pipeline.Batch{Now: next.now}
		next.p.Process(b)
		if next.p.alerts.taken != 1 || len(b.States) != 1 || b.States[0].Key != first[0].Key || b.States[0].Data != nil {
			t.Errorf("%d alerts; removed %v", next.p.alerts.taken, b.States)
		}
	}
}

func TestAStoredAlertThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	whole := New(zap.NewNop()).encode(&entry{key: "k", id: 1, from: unique.Make(origin{Owner: "exec/1"}), Alert: Alert{Phase: Firing, Count: 300}})
	for name, data := range map[string][]byte{
		"nothing":            nil,
		"text":               []byte(`{"key":"k"}`),
		"cut short":          whole.Data[:len(whole.Data)-1],
		"a large phase":      append(whole.Data[:len(whole.Data):len(whole.Data)], 0x80, 1, 0x81, 2),
		"half a label":       append(whole.Data[:len(whole.Data):len(whole.Data)], 5<<3|2, 1, 'x'),
		"a phase of its own": append(whole.Data[:len(whole.Data):len(whole.Data)], 16<<3&0x7f|0x80, 1, 9),
	} {
		if e, err := newDecoder().decode(store.State{Key: whole.Key, Data: data}); err == nil {
			t.Errorf("%s was taken for %+v", name, e)
		}
	}
	often := append(whole.Data[:len(whole.Data):len(whole.Data)], 0xd0, 1, 0xac, 2) // 300 flaps, which earlier versions wrote
	if e, err := newDecoder().decode(store.State{Key: whole.Key, Data: often}); err != nil || e.Flaps != 255 {
		t.Errorf("300 flaps became %+v, %v", e, err)
	}
	later := append(whole.Data[:len(whole.Data):len(whole.Data)], 0xf2, 0x3f, 1, 'x') // a field of text, number 1022
	if e, err := newDecoder().decode(store.State{Key: whole.Key, Data: later}); err != nil || e.Count != 300 {
		t.Errorf("a field of a later version spoilt the alert: %+v, %v", e, err)
	}
}

func BenchmarkStored(b *testing.B) {
	p := New(zap.NewNop())
	e := &entry{key: "4f1b21a435253bf868a1249d3ba7715f", id: 7, from: unique.Make(origin{"exec/1", "/opt/x.sh", "$check"}), told: &audience{[]string{"x", "y"}},
		Labels: pipeline.L("check", "disk usage", "from_plugin", "exec", "mount", "/data/1234"), Alert: Alert{Phase: Firing, Count: 1, Sent: 1, At: time.Now(), FirstFire: time.Now().Unix()}}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			p.encode(e)
		}
	})
	state := p.encode(e)
	b.Run("decode", func(b *testing.B) {
		d := newDecoder()
		for b.Loop() {
			if _, err := d.decode(state); err != nil {
				b.Fatal(err)
			}
		}
	})
}
