package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"catpaw/agent/api"
	"catpaw/pipeline"
	"catpaw/processors"
	"catpaw/processors/alerting"
	"catpaw/processors/inhibit"
	"catpaw/processors/silence"
	"catpaw/store"
)

// lookTick is how often the agent looks whether files have changed and whether the page can be served.
const lookTick = time.Second

// sendBudget is how long a stop waits for the outputs to deliver what is in their queues.
const sendBudget = 5 * time.Second

// Agent runs one configuration directory.
type Agent struct {
	api.Queues // of the store

	source   Source
	log      *zap.Logger
	level    zap.AtomicLevel
	logged   LogOptions // as opened
	stateDir string
	opened   int // alerts that fired when the agent started
	store    *store.Store
	pipeline *pipeline.Pipeline
	alerting *alerting.Processor
	silences *silence.Silences
	inhibits *inhibit.Inhibitor
	started  time.Time
	vitals   *vitals
	heart    *heart
	page     *api.Server
	bursts   *bursts
	files    watch
	watching bool        // files; both are the goroutine's of Run
	asks     chan func() // done by the goroutine of Run, between two reloads

	running *Configuration // the goroutine's of Run

	mu     sync.Mutex
	loaded api.Loaded                 // but for its Hash
	hash   func() string              // of the configuration that runs; made when it is asked for: of 1,000 checks it takes a millisecond
	checks map[string]*pipeline.Check // by ID
	idle   []api.Idle
}

// Run runs the agent until ctx ends or the reader of standard output has gone. A value on reload makes
// it read the configuration again. Unless nil, ready is called once, when the agent runs. The error is a fault of the
// configuration at start.
func Run(ctx context.Context, source Source, reload <-chan struct{}, ready func()) error {
	bursts := newBursts() // reading a large configuration is one
	defer bursts.calm(0)
	source.inputs = source.probes()
	files := watch{dir: source.Dir}
	files.read()
	c, err := source.Load()
	if err != nil {
		return err
	}
	a := &Agent{source: source, level: zap.NewAtomicLevel(), logged: c.Log, stateDir: c.StateDir,
		started: time.Now(), asks: make(chan func()), files: files, bursts: bursts}
	if a.log, err = c.Log.open(a.level, toStdout(c)); err != nil {
		return err
	}
	defer a.log.Sync() //nolint:errcheck // a terminal cannot be synced
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := a.start(c, stop); err != nil {
		return err
	}
	endSocket := api.ServeSocket(a.stateDir, a, a.log)
	a.log.Info("catpaw runs", zap.String("configuration", a.source.Dir), zap.String("state", c.StateDir),
		zap.Int("checks", len(c.Checks)), zap.Strings("outputs", names(c)), zap.Int("open_alerts", a.opened))
	a.notify(daemon.SdNotifyReady)
	if ready != nil {
		ready()
	}
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { a.heart.beat(ctx) })
	beside.Go(func() { a.watchdog(ctx) })
	beside.Go(func() { a.unmute(ctx) })
	tick := time.NewTicker(lookTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.notify(daemon.SdNotifyStopping)
			endSocket() // while what is asked can still be answered, and before another agent may open its own
			a.page.Close()
			a.stop()
			return nil
		case <-reload:
			_, _ = a.reload() // the log has it
		case ask := <-a.asks:
			ask()
		case <-tick.C:
			a.page.Retry()
			if a.watching && a.files.changed() {
				a.log.Info("the configuration's files have changed")
				_, _ = a.reload() // the log has it
			}
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

// start opens the store and begins to run. The only error is that another catpaw has the state.
func (a *Agent) start(c *Configuration, stop context.CancelFunc) error {
	ready := make(chan struct{})
	defer close(ready)
	var states []store.State
	var err error
	a.store, states, err = store.Open(store.Config{Dir: c.StateDir, Log: a.log, OnReset: func(found []store.State) {
		<-ready
		a.restate(found)
	}})
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("%s: another catpaw runs on this state directory; stop it, or give this one its own with --state-dir", c.StateDir)
	}
	a.bursts.free(a.store.Forget)
	a.alerting, a.silences, a.inhibits = alerting.New(a.log), silence.New(processRuns), inhibit.New()
	a.alerting.MuteWith(alerting.Muter{By: a.silences.Mutes})
	a.alerting.MuteWith(alerting.Muter{By: a.inhibits.Mutes, Firing: a.inhibits.Firing, Fresh: true})
	a.alerting.Restore(states)
	if err := a.silences.Restore(a.store.Memo(silencesMemo)); err != nil {
		a.log.Error("what was silenced is told", zap.Error(err))
	}
	a.pipeline = pipeline.New(pipeline.Config{
		Log: a.log, Store: a.store, Processors: processors.Chain(a.alerting),
		OnReaderGone: stop, OnBurst: a.bursts.goesOn, OnMany: a.bursts.handlesMany, Open: a.alerting.Open,
	})
	a.Queues = &local{store: a.store, health: a.pipeline.Health, forgive: a.pipeline.Forgive}
	a.vitals = &vitals{began: time.Now(), checks: a.pipeline.Checks, trouble: a.store.Trouble}
	a.heart = newHeart(a.vitals.unwell, a.log)
	a.page = api.NewServer(a, a.log)
	a.opened = a.alerting.Firing()
	a.apply(c)
	a.bursts.goesOn() // many alerts take long to read
	return nil
}

// restate gives a store that had to begin anew all alerts again, and takes those that it found.
func (a *Agent) restate(found []store.State) {
	a.pipeline.Do(func(b *pipeline.Batch) {
		a.alerting.Restore(found)
		b.States = append(b.States, a.alerting.States()...)
	})
}

func (a *Agent) apply(c *Configuration) {
	a.running = c
	a.mu.Lock()
	a.loaded, a.hash = api.Loaded{Directory: a.source.Dir, At: time.Now(), Warnings: c.Warnings}, sync.OnceValue(c.Hash)
	a.checks, a.idle = byID(c.Checks), c.Idle
	a.mu.Unlock()
	level, _ := zapcore.ParseLevel(c.Log.Level) // judged by Load
	a.level.SetLevel(level)
	for _, warning := range c.Warnings {
		a.log.Warn(warning)
	}
	a.heart.use(c.heartbeat)
	a.watching = c.WatchConfig
	a.page.Use(c.page)
	checks := append(slices.Clone(c.Checks), selfCheck(a.store, a.pipeline, a.vitals, c))
	covers := func(plugin string) bool { return plugin == "catpaw" || a.source.covers(plugin) }
	a.pipeline.Apply(checks, c.Outputs, func() {
		a.alerting.Configure(checks, covers)
		a.alerting.Route(c.Outputs)
		a.silences.Use(c.Windows)
		a.inhibits.Use(c.Inhibits, a.alerting.FiringLabels)
	})
	if len(a.source.Plugins) == 0 {
		keep := ids(checks)
		keep[silencesMemo] = true
		a.store.KeepMemos(keep)
	}
	for _, queue := range a.store.Queues() {
		if queue.Orphan && queue.Queued+queue.Held > 0 {
			a.log.Warn(orphanWarning(queue))
		}
	}
}

func ids(checks []*pipeline.Check) map[string]bool {
	all := make(map[string]bool, len(checks))
	for _, check := range checks {
		all[check.ID] = true
	}
	return all
}

// reload reads everything first; on any fault the agent goes on as before.
func (a *Agent) reload() (api.Changes, error) {
	a.files.read()
	c, err := a.source.Load()
	if err != nil {
		a.mu.Lock()
		a.loaded.Refused = err.Error()
		a.mu.Unlock()
		for line := range strings.SplitSeq(err.Error(), "\n") {
			a.log.Error("reload refused, the old configuration goes on: " + line)
		}
		return api.Changes{}, err
	}
	warnings := a.untilRestart(c)
	changes := compare(a.running.parts(), c.parts())
	a.apply(c)
	changes.Hash = a.hash()
	changes.Warnings = append(warnings, c.Warnings...)
	if trouble := a.page.Trouble(); trouble != "" {
		changes.Warnings = append(changes.Warnings, "the status page cannot be served at "+c.page.Listen+", which is tried again: "+trouble)
	}
	a.log.Info("reloaded", zap.Int("added", len(changes.Added)), zap.Int("removed", len(changes.Removed)), zap.Int("changed", len(changes.Changed)),
		zap.Int("untouched", changes.Untouched), zap.Int("checks", len(c.Checks)), zap.Strings("outputs", names(c)))
	return changes, nil
}

// untilRestart leaves as it is what cannot change while the agent runs, and says so.
func (a *Agent) untilRestart(c *Configuration) (warnings []string) {
	if c.Log.Output != a.logged.Output || c.Log.Format != a.logged.Format {
		warnings = append(warnings, "[log] output and format change with the next restart")
	}
	if c.StateDir != a.stateDir {
		warnings = append(warnings, "[global] state_dir changes with the next restart; until then it is "+a.stateDir)
		c.StateDir = a.stateDir
	}
	for _, warning := range warnings {
		a.log.Warn(warning)
	}
	return warnings
}

func (a *Agent) stop() {
	queued := 0
	for _, queue := range a.store.Queues() {
		queued += queue.Queued
	}
	a.log.Info("catpaw stops", zap.Int("queued", queued))
	ctx, cancel := context.WithTimeout(context.Background(), sendBudget)
	defer cancel()
	a.pipeline.Stop(ctx)
	if lost := a.store.Close(); lost > 0 {
		a.log.Error("events that the disk did not take are lost with this stop", zap.Int("events", lost))
	}
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
