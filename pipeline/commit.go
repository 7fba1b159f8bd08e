package pipeline

import (
	"crypto/rand"

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
}

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
	tx := store.Tx{States: b.States, Rows: make([]store.Row, 0, len(b.Notify)*len(c.queues))}
	for _, event := range b.Notify {
		event.ID = newID(b.Now, rand.Reader)
		data := encodeMessage(event)
		for _, queue := range c.queues {
			tx.Rows = append(tx.Rows, store.Row{Queue: queue, Key: event.AlertKey, Data: data})
		}
	}
	if err := c.store.Commit(tx); err != nil {
		c.log.Error("cannot commit: these notifications wait for the next check", zap.Error(err), zap.Int("events", len(b.Notify)))
	}
}
