package pipeline

import (
	"crypto/rand"
	"time"

	"go.uber.org/zap"

	"catpaw/store"
)

// Store is what the commit point and the senders need of a store.
type Store interface {
	// Commit makes a whole batch of changes at once, or none of it.
	Commit(tx store.Tx) error
	// Open returns the queue of that name with its rows spread over so many shards by key.
	Open(name string, shards int) *store.Queue
	// Drop forgets a queue and returns how many rows it held.
	Drop(name string) int
}

// committer turns a decided batch into one transaction: the changed alert states and one row for each
// output. Nothing before it is told to anyone; nothing after it is lost.
type committer struct {
	store  Store
	log    *zap.Logger
	queues []string
	failed store.Tx         // what could not be committed yet; it goes before anything else
	retry  <-chan time.Time // when to try it again; nil where nothing failed
}

// commitRetry is how long a failed commit waits for the next try.
const commitRetry = time.Second

func newCommitter(s Store, log *zap.Logger) *committer { return &committer{store: s, log: log} }

// route names the queues that get every notification from now on.
func (c *committer) route(outputs []*OutputSpec) {
	c.queues = c.queues[:0]
	for _, spec := range outputs {
		c.queues = append(c.queues, spec.Name)
	}
}

func (c *committer) commit(b *Batch) {
	if len(b.Notify) == 0 && len(b.States) == 0 {
		return
	}
	tx := c.failed
	tx.States = append(tx.States, b.States...)
	for _, event := range b.Notify {
		event.ID = newID(b.Now, rand.Reader)
		data := encodeMessage(event)
		for _, queue := range c.queues {
			tx.Rows = append(tx.Rows, store.Row{Queue: queue, Key: event.AlertKey, Data: data})
		}
	}
	c.try(tx)
}

// again tries what failed.
func (c *committer) again() { c.try(c.failed) }

// try commits, or keeps what it could not commit: the alerts have moved on and will not tell it again.
func (c *committer) try(tx store.Tx) {
	err := c.store.Commit(tx)
	switch {
	case err != nil && c.retry == nil:
		c.log.Error("cannot commit; what was decided is kept in memory and tried again", zap.Error(err))
	case err == nil && c.retry != nil:
		c.log.Info("commits again", zap.Int("events", len(tx.Rows)))
	}
	c.failed, c.retry = store.Tx{}, nil
	if err != nil {
		c.failed, c.retry = tx, time.After(commitRetry)
	}
}
