package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"catpaw/pipeline"
	"catpaw/store"
)

// Queues is what can be asked of the queues, and done to them, whether the agent runs or not.
type Queues interface {
	// List describes every queue.
	List() ([]QueueStatus, error)
	// Events returns queued events after a Seq, oldest first, or with dead all dead letters.
	Events(name string, dead bool, after uint64) ([]QueuedEvent, error)
	// Purge empties a queue, or with dead its dead letters, and returns how many are gone.
	Purge(name string, dead bool) (int, error)
	// Redrive puts dead letters back into their queue; into another queue, the queued events as well.
	Redrive(name, to string) (int, error)
	// Close lets go of the state directory.
	Close()
}

// QueueStatus is one queue and how its output is doing.
type QueueStatus struct {
	store.QueueInfo
	pipeline.Health
}

// QueuedEvent is one event in a queue, or a dead letter with the reason.
type QueuedEvent struct {
	Seq     uint64          `json:"seq"`
	Refused int64           `json:"refused_at,omitempty"` // unix seconds
	Reason  string          `json:"reason,omitempty"`
	Event   json.RawMessage `json:"event"`
}

// OpenQueues reaches the queues of a state directory: through the agent that runs on it, else on disk.
// With write false it changes nothing there. configured are the outputs that own queues.
func OpenQueues(stateDir string, configured []*pipeline.OutputSpec, write bool) (Queues, error) {
	if remote, err := dialAgent(stateDir, answerWithin); remote != nil || err != nil {
		return remote, err
	}
	owned := map[string]bool{}
	for _, output := range configured {
		owned[output.Name] = true
	}
	infos, err := store.ReadQueues(stateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no catpaw has kept anything there yet (%w)", stateDir, fs.ErrNotExist)
	case errors.Is(err, store.ErrInUse):
		return nil, fmt.Errorf("%s is in use, but no catpaw answers on %s", stateDir, socketPath(stateDir))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", filepath.Join(stateDir, store.FileName), err)
	}
	if !write {
		return &onDisk{infos: infos, owned: owned}, nil
	}
	opened, _, err := store.Open(store.Config{Dir: stateDir, Log: zap.NewNop(), Owned: slices.Collect(maps.Keys(owned))})
	if err != nil {
		return nil, err
	}
	return &local{store: opened}, nil
}

// onDisk is a list that was read, and nothing more: who wants more opens the queues to write.
type onDisk struct {
	Queues
	infos []store.QueueInfo
	owned map[string]bool
}

func (q *onDisk) List() ([]QueueStatus, error) {
	all := make([]QueueStatus, 0, len(q.infos)) // not nil, which is no list in JSON
	for _, info := range q.infos {
		info.Orphan = !q.owned[info.Name]
		all = append(all, QueueStatus{QueueInfo: info})
	}
	return all, nil
}

func (q *onDisk) Close() {}

// local works on a store of this process: the agent's, or one that was opened for the purpose.
type local struct {
	store  *store.Store
	health func() map[string]pipeline.Health
}

func (q *local) List() ([]QueueStatus, error) {
	all, health := []QueueStatus{}, map[string]pipeline.Health{}
	if q.health != nil {
		health = q.health()
	}
	for _, info := range q.store.Queues() {
		all = append(all, QueueStatus{info, health[info.Name]})
	}
	return all, nil
}

// eventsAtOnce is how many events one call of Events returns.
const eventsAtOnce = 500

func (q *local) Events(name string, dead bool, after uint64) (events []QueuedEvent, err error) {
	if dead {
		letters, err := q.store.DeadLetters(name)
		for _, letter := range letters {
			if letter.Row.Seq > after && len(events) < eventsAtOnce {
				events = append(events, QueuedEvent{letter.Row.Seq, letter.Time, letter.Reason, eventJSON(letter.Row)})
			}
		}
		return events, err
	}
	rows, err := q.store.Rows(name, after, eventsAtOnce)
	for _, row := range rows {
		events = append(events, QueuedEvent{Seq: row.Seq, Event: eventJSON(row)})
	}
	return events, err
}

func eventJSON(row *store.Row) json.RawMessage {
	message, err := pipeline.DecodeMessage(row.Key, row.Data)
	if err != nil {
		text, _ := json.Marshal(err.Error())
		return text
	}
	return message.JSON()
}

func (q *local) Purge(name string, dead bool) (int, error) { return q.store.Purge(name, dead) }

func (q *local) Redrive(name, to string) (int, error) { return q.store.Redrive(name, to) }

func (q *local) Close() { q.store.Close() }

// orphanWarning says what to do about a queue that no output owns.
func orphanWarning(q store.QueueInfo) string {
	return fmt.Sprintf("the queue %q belongs to no output: %d events and %d dead letters wait in it. Configure an output of that name, or catpaw queue redrive %s --to OUTPUT, or catpaw queue purge %s",
		q.Name, q.Queued, q.Held, q.Name, q.Name)
}

// OrphanWarnings tells of queues that no output of the configuration owns. It changes nothing.
func OrphanWarnings(c *Configuration) (warnings []string) {
	queues, err := OpenQueues(c.StateDir, c.Outputs, false)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil // another user's agent, whose own log has them; or none so far
		}
		return []string{err.Error()}
	}
	defer queues.Close()
	list, err := queues.List()
	if err != nil {
		return []string{err.Error()}
	}
	owned := map[string]bool{}
	for _, output := range c.Outputs {
		owned[output.Name] = true
	}
	for _, queue := range list {
		if !owned[queue.Name] && queue.Queued+queue.Held > 0 {
			warnings = append(warnings, orphanWarning(queue.QueueInfo))
		}
	}
	return warnings
}

// Age is how long ago the oldest event of a queue was decided, 0 where there is none.
func (q QueueStatus) Age(now time.Time) time.Duration {
	if q.Oldest == 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(q.Oldest, 0)))
}
