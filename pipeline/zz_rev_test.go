package pipeline

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"go.uber.org/zap"
	"catpaw/store"
)

// L: the firing was delivered; only the repeat and the Ok waited
func TestRevL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		got := told(t, func(*Message) error { if down.Load() { return errors.New("down") }; return nil }, func(commit func(Status, string)) {
			commit(Warning, "begins")
			time.Sleep(time.Minute)
			down.Store(true)
			commit(Warning, "repeat")
			time.Sleep(10 * time.Minute)
			commit(Ok, "over")
			down.Store(false)
			time.Sleep(3 * time.Minute)
		})
		t.Logf("%q", got)
		if len(got) == 2 && strings.Contains(got[1], "the only message of it") { t.Error("it is not the only message") }
	})
}

// J: an output removed and configured again while its last Write is still out
func TestRevJ(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.Memory(zap.NewNop())
		slow := &sink{write: func(ctx context.Context, m *Message) error { <-ctx.Done(); time.Sleep(time.Second); return ctx.Err() }}
		good := &sink{}
		p := New(Config{Log: zap.NewNop(), Store: s})
		a := to("a", slow)
		p.Apply(nil, []*OutputSpec{a}, nil)
		say := func(text string) { p.Do(func(b *Batch) { b.Notify = append(b.Notify, &Event{Time: 1, Status: Warning, AlertKey: "k", Description: text}) }) }
		say("one")
		synctest.Wait()
		p.Apply(nil, nil, nil)
		p.Apply(nil, []*OutputSpec{to("a", good)}, nil)
		say("two") // configured, and committed
		time.Sleep(10*time.Second)
		stop(p)
		t.Logf("%q", good.delivered())
		if len(good.delivered()) != 2 { t.Error("lost without a word") }
	})
}

// S: stop with a removed output that does not return
func TestRevS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := &sink{write: func(ctx context.Context, m *Message) error { <-release; return nil }}
		p := New(Config{Log: zap.NewNop(), Store: store.Memory(zap.NewNop())})
		p.Apply(nil, []*OutputSpec{to("a", slow)}, nil)
		p.Do(func(b *Batch) { b.Notify = append(b.Notify, &Event{Time: 1, Status: Warning, AlertKey: "k", Description: "x"}) })
		synctest.Wait()
		p.Apply(nil, nil, nil)
		done := make(chan struct{})
		go func() { stop(p); close(done) }()
		select { case <-done: case <-time.After(time.Hour): t.Error("stop hangs for an hour") }
		close(release)
		<-done
	})
}
