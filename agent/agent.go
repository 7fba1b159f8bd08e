package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"catpaw/pipeline"
	"catpaw/processors"
	"catpaw/processors/alerting"
	"catpaw/store"
)

// sendBudget is how long a stop waits for the outputs to deliver what is in their queues.
const sendBudget = 5 * time.Second

// Agent runs one configuration directory.
type Agent struct {
	source   Source
	log      *zap.Logger
	level    zap.AtomicLevel
	logged   LogOptions // as opened
	pipeline *pipeline.Pipeline
	alerting *alerting.Processor
}

// Run runs the agent until ctx ends or the reader of standard output has gone. A value on reload makes
// it read the configuration again. The error is a fault of the configuration at start.
func Run(ctx context.Context, source Source, reload <-chan struct{}) error {
	c, err := source.Load()
	if err != nil {
		return err
	}
	a := &Agent{source: source, level: zap.NewAtomicLevel(), logged: c.Log}
	if a.log, err = c.Log.open(a.level, toStdout(c)); err != nil {
		return err
	}
	defer a.log.Sync() //nolint:errcheck // a terminal cannot be synced
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a.start(c, stop)
	for {
		select {
		case <-ctx.Done():
			a.stop()
			return nil
		case <-reload:
			a.reload()
		}
	}
}

func toStdout(c *Configuration) bool {
	for _, output := range c.Outputs {
		if output.Plugin == "stdout" {
			return true
		}
	}
	return false
}

func (a *Agent) start(c *Configuration, stop context.CancelFunc) {
	memory := store.NewMemory(func(queue string, merged, lost int) {
		a.log.Warn("a queue is full: of each alert only the newest event was kept",
			zap.String("output", queue), zap.Int("merged", merged), zap.Int("lost", lost))
	})
	a.alerting = alerting.New(a.log)
	a.alerting.Restore(memory.States())
	a.pipeline = pipeline.New(pipeline.Config{
		Log: a.log, Store: memory, Processors: processors.Chain(nil, a.alerting),
		OnReaderGone: stop,
	})
	a.apply(c)
	a.log.Info("catpaw runs", zap.String("configuration", a.source.Dir), zap.Int("checks", len(c.Checks)), zap.Strings("outputs", names(c)))
}

func (a *Agent) apply(c *Configuration) {
	level, _ := zapcore.ParseLevel(c.Log.Level) // judged by Load
	a.level.SetLevel(level)
	for _, warning := range c.Warnings {
		a.log.Warn(warning)
	}
	a.pipeline.Apply(c.Checks, c.Outputs, func() { a.alerting.Configure(c.Checks) })
}

// reload reads everything first; on any fault the agent goes on as before.
func (a *Agent) reload() {
	c, err := a.source.Load()
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			a.log.Error("reload refused, the old configuration goes on: " + line)
		}
		return
	}
	if c.Log.Output != a.logged.Output || c.Log.Format != a.logged.Format {
		a.log.Warn("[log] output and format change with the next restart")
	}
	a.apply(c)
	a.log.Info("reloaded", zap.Int("checks", len(c.Checks)), zap.Strings("outputs", names(c)))
}

func (a *Agent) stop() {
	a.log.Info("catpaw stops")
	ctx, cancel := context.WithTimeout(context.Background(), sendBudget)
	defer cancel()
	a.pipeline.Stop(ctx)
}

func names(c *Configuration) (all []string) {
	for _, output := range c.Outputs {
		name := output.Name
		if name != output.Plugin {
			name = fmt.Sprintf("%s (%s)", name, output.Plugin)
		}
		all = append(all, name)
	}
	return all
}
