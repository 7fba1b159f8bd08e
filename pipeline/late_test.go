package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"catpaw/store"
)

// told is what a sink got, in the words that matter here.
func told(t *testing.T, sinkWrite func(m *Message) error, events func(commit func(status Status, text string))) (got []string) {
	t.Helper()
	memory := store.Memory(zap.NewNop())
	s := &sink{write: func(_ context.Context, m *Message) error {
		if err := sinkWrite(m); err != nil {
			return err
		}
		e, err := m.Event()
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s", e.Status, e.Description)
		if e.Delayed {
			line += " (delayed)"
		}
		got = append(got, line)
		return nil
	}}
	p := New(Config{Log: zap.NewNop(), Store: memory})
	p.Apply(nil, []*OutputSpec{to("a", s)}, nil)
	events(func(status Status, text string) {
		p.Do(func(b *Batch) {
			b.Notify = append(b.Notify, &Event{
				Time: b.Now.Unix(), FirstFireTime: b.Now.Unix(), Status: status, AlertKey: "k", Description: text,
			})
		})
		synctest.Wait()
	})
	stop(p)
	return got
}

// whileUp is a sink that takes events once it is up.
func whileUp(up *atomic.Bool) func(*Message) error {
	return func(*Message) error {
		if !up.Load() {
			return errors.New("down")
		}
		return nil
	}
}

func TestWhatComesLateSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		got := told(t, whileUp(&up), func(commit func(Status, string)) {
			commit(Warning, "old")
			time.Sleep(10 * time.Minute)
			commit(Critical, "new")
			up.Store(true)
			time.Sleep(2 * time.Minute)
			commit(Critical, "newest")
		})
		if len(got) != 3 || !strings.HasPrefix(got[0], "Warning old\ndecided at ") || !strings.HasSuffix(got[0], "(delayed)") || got[2] != "Critical newest" {
			t.Errorf("told %q", got)
		}
	})
}

func TestAnAlertBegunAndOverWhileTheSinkWasDownIsToldAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		got := told(t, whileUp(&up), func(commit func(Status, string)) {
			commit(Warning, "first")
			commit(Critical, "worse")
			time.Sleep(5 * time.Minute)
			commit(Ok, "over")
			commit(Warning, "again")
			up.Store(true)
			time.Sleep(2 * time.Minute)
		})
		if len(got) != 2 || !strings.HasPrefix(got[0], "Ok over\nit began at ") || !strings.Contains(got[0], "and was over at ") || !strings.HasPrefix(got[1], "Warning again") {
			t.Errorf("told %q", got)
		}
	})
}

func TestABriefDelayIsNoStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		got := told(t, func(*Message) error {
			if tries++; tries < 3 {
				return errors.New("not now")
			}
			return nil
		}, func(commit func(Status, string)) {
			commit(Warning, "bad")
			commit(Ok, "good")
			time.Sleep(time.Minute - time.Second)
		})
		if fmt.Sprint(got) != "[Warning bad Ok good]" {
			t.Errorf("told %q", got)
		}
	})
}

// TestAnEventThatASinkCannotStomachHoldsUpNobody has a sink that answers one alert with an error for
// ever, and takes all others, with one worker.
func TestAnEventThatASinkCannotStomachHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		var poison atomic.Bool
		poison.Store(true)
		s := &sink{write: func(_ context.Context, m *Message) error {
			if m.AlertKey == "poison" {
				if tries.Add(1); poison.Load() {
					return errors.New("internal error")
				}
			}
			return nil
		}}
		names := 0
		check := every(time.Second, func(_ context.Context, r *Report) error {
			names++
			r.Add(Event{Labels: L("check", "poison"), Description: fmt.Sprint("p", names)})
			r.Add(Event{Labels: L("check", fmt.Sprint("good", names%7)), Description: fmt.Sprint("g", names)})
			return nil
		})
		spec := to("a", s)
		spec.Concurrency = 1
		p := start([]*Check{check}, spec)
		time.Sleep(10*time.Minute + time.Second/2)
		p.scheduler.stop()
		time.Sleep(5 * time.Second)
		if got := s.delivered(); len(got) != names {
			t.Errorf("%d of %d good events came through", len(got), names)
		}
		if tries.Load() > 60 {
			t.Errorf("the bad one was tried %d times in ten minutes", tries.Load())
		}
		poison.Store(false)
		time.Sleep(3 * time.Minute)
		if got := s.delivered(); len(got) != 2*names || stop(p) != 0 {
			t.Errorf("%d of %d came in the end", len(got), 2*names)
		}
	})
}

func TestACheckRemembersTogetherWithItsEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, s := store.Memory(zap.NewNop()), &sink{}
		run := 0
		check := every(time.Second, func(_ context.Context, r *Report) error {
			run++
			seen := string(r.Recall())
			r.Add(Event{Labels: L("check", "c"), Description: fmt.Sprintf("%d after %q", run, seen)})
			r.Remember(fmt.Append(nil, "cursor ", run))
			if run == 2 {
				return errors.New("something went wrong behind it")
			}
			return nil
		})
		batches := &watchBatches{}
		p := New(Config{Log: zap.NewNop(), Store: memory, Processors: []Processor{&tellAll{}, batches}})
		p.Apply([]*Check{check}, []*OutputSpec{to("a", s)}, nil)
		time.Sleep(2*time.Second + time.Second/2)
		stop(p)
		var got []string
		for _, text := range s.delivered() {
			if !strings.Contains(text, "configured at") {
				got = append(got, text)
			}
		}
		if want := `[1 after "" 2 after "cursor 1" 3 after "cursor 1" the check works again]`; fmt.Sprint(got) != want {
			t.Errorf("told %s", got)
		}
		if fmt.Sprint(batches.memos) != "[cursor 1 with 1 events cursor 3 with 2 events]" || string(memory.Memo("test/1")) != "cursor 3" {
			t.Errorf("committed %s; remembered %q", batches.memos, memory.Memo("test/1"))
		}
	})
}

// watchBatches notes which memo goes with how many events.
type watchBatches struct{ memos []string }

func (w *watchBatches) Process(b *Batch) {
	for _, memo := range b.Memos {
		w.memos = append(w.memos, fmt.Sprintf("%s with %d events", memo.Data, len(b.Notify)))
	}
}

// TestEachTellsItsOwnTime, though many were decided in the same second as the one before.
func TestEachTellsItsOwnTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	assemble := assembler{now: now}
	for _, hours := range []int{2, 1, 1, 2} {
		decided := now.Unix() - int64(hours)*3600
		data := appendMessage(nil, &Event{Time: decided, Status: Critical, AlertKey: "k", ID: someID, Description: "bad"})
		m, err := assemble.message(store.Parcel{Rows: []*store.Row{{Key: "k", Time: decided, Data: data}}})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("decided at %s, told %dh0m", clock(decided), hours)
		if !strings.Contains(string(m.JSON()), want) {
			t.Errorf("%s, want %q", m.JSON(), want)
		}
	}
}

// TestPatchingIsAsGoodAsEncoding compares the quick way to mark a message with decoding and encoding it.
func TestPatchingIsAsGoodAsEncoding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "plain", "[MD]\n- **x**: \"quoted\" \\ é", `,"attrs":{`, `,"description":"`, strings.Repeat("long ", 600), strings.Repeat("<\x01", 300)})
		event := &Event{
			Time: 5, Status: Critical, AlertKey: "k", ID: someID, TitleRule: text.Draw(t, "title"), Description: text.Draw(t, "description"),
			Labels: L("check", text.Draw(t, "label"), "description", "x"), FirstFireTime: 4, NotifyCount: 3, Delayed: rapid.Bool().Draw(t, "delayed"),
		}
		if rapid.Bool().Draw(t, "attrs") {
			event.Attrs = []Attr{{"a", text.Draw(t, "attr")}}
		}
		quick := NewMessage(event).late(newNote("it came \"late\""))
		if quick == nil {
			return
		}
		event.Delayed = true
		event.Description = WithLine(event.Description, "delayed", "it came \"late\"")
		slow := NewMessage(event)
		if string(quick.JSON()) != string(slow.JSON()) || string(quick.Wire()) != string(slow.Wire()) || quick.ID() != slow.ID() {
			t.Fatalf("quick\n%s\nslow\n%s", quick.JSON(), slow.JSON())
		}
	})
	m := NewMessage(&Event{ID: someID, Description: "short"})
	if m.late(newNote("x")) == nil {
		t.Error("the quick way is never gone")
	}
}
