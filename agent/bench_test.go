//go:build unix

package agent

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
	"catpaw/processors"
	"catpaw/processors/alerting"
	"catpaw/store"
)

const benchEvents = 10_000

// BenchmarkDurability compares the cost of 10,000 events, from the tick of a script that prints them to the acknowledged
// delivery, with the store on disk and in memory.
func BenchmarkDurability(b *testing.B) {
	measure.Compare(b,
		func() measure.Figures {
			s, _, err := store.Open(store.Config{Dir: filepath.Join(b.TempDir(), "state.d"), Log: zap.NewNop()})
			if err != nil {
				b.Fatal(err)
			}
			return tellAll(b, s)
		},
		func() measure.Figures { return tellAll(b, store.Memory(zap.NewNop())) })
}

// taker is an output that has everything at once.
type taker struct {
	left atomic.Int64
	all  chan struct{}
}

func (*taker) Init() error    { return nil }
func (*taker) BatchSize() int { return 1000 }
func (*taker) Close() error   { return nil }
func (t *taker) Write(_ context.Context, batch []*pipeline.Message) []error {
	if t.left.Add(-int64(len(batch))) == 0 {
		close(t.all)
	}
	return nil
}

func tellAll(b *testing.B, s *store.Store) measure.Figures {
	b.Helper()
	dir := b.TempDir()
	says := filepath.Join(dir, "says")
	pipetest.BurstFile(b, says, benchEvents, benchEvents)
	writeAll(b, map[string]string{
		filepath.Join(dir, "c/p.exec/a.toml"): "[[instances]]\ninterval = '1h'\ncommands = [['cat', '" + says + "']]\n",
	})
	c, err := Source{Dir: filepath.Join(dir, "c"), Vars: HostVars()}.Load()
	if err != nil {
		b.Fatal(err)
	}
	sink := &taker{all: make(chan struct{})}
	sink.left.Store(benchEvents)
	spec := &pipeline.OutputSpec{Name: "sink", Timeout: time.Second, Concurrency: 4, MaxEvents: 100_000, MaxBytes: 1 << 30, Output: sink}
	last := alerting.New(zap.NewNop())
	return measure.Run(func() {
		p := pipeline.New(pipeline.Config{Log: zap.NewNop(), Store: s, Processors: processors.Chain(last)})
		p.Apply(c.Checks, []*pipeline.OutputSpec{spec}, func() { last.Configure(c.Checks, func(string) bool { return true }) })
		<-sink.all
		p.Stop(context.Background())
		s.Close()
	})
}

func writeAll(b *testing.B, files map[string]string) {
	b.Helper()
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}
