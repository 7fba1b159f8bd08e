package pipeline

import (
	"crypto/rand"

	"catpaw/store"
)

// committer turns a decided batch into one transaction: the changed alert states, what checks remember,
// and one row for each output. Nothing before it is told to anyone; nothing after it is lost.
type committer struct {
	store  *store.Store
	queues []string
	ids    *IDs
	buffer []byte // used again
}

func newCommitter(s *store.Store) *committer {
	return &committer{store: s, ids: NewIDs(rand.Reader)}
}

// route names the queues of all outputs from now on.
func (c *committer) route(outputs []*OutputSpec) {
	c.queues = make([]string, 0, len(outputs))
	for _, spec := range outputs {
		c.queues = append(c.queues, spec.Name)
	}
}

func (c *committer) commit(b *Batch) {
	if len(b.Notify)+len(b.States)+len(b.Memos) == 0 {
		return
	}
	tx := store.Tx{States: b.States, Memos: b.Memos, Rows: make([]*store.Row, 0, len(b.Notify)*len(c.queues))}
	for _, event := range b.Notify {
		if event.Outputs == nil {
			event.Outputs = c.queues
		}
		if len(event.Outputs) == 0 {
			continue
		}
		event.ID = c.ids.Next(b.Now)
		c.buffer = appendMessage(c.buffer[:0], event)
		row := store.NewRow(event.Outputs[0], event.AlertKey, b.Now.Unix(), event.Status == Ok, c.buffer)
		tx.Rows = append(tx.Rows, row)
		for _, queue := range event.Outputs[1:] {
			tx.Rows = append(tx.Rows, row.For(queue))
		}
	}
	c.store.Commit(tx)
}
