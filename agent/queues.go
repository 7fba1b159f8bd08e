package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"go.uber.org/zap"

	"catpaw/agent/api"
	"catpaw/pipeline"
	"catpaw/store"
)

// OpenQueues reaches the queues of a state directory: through the agent that runs on it, else on disk; close lets go
// of them. With write false it changes nothing there. configured are the outputs that own queues.
func OpenQueues(stateDir string, configured []*pipeline.OutputSpec, write bool) (queues api.Queues, closeThem func(), err error) {
	switch client, err := api.Reach(stateDir); {
	case err != nil:
		return nil, nil, err
	case client != nil:
		return client, client.Close, nil
	}
	owned := map[string]bool{}
	for _, output := range configured {
		owned[output.Name] = true
	}
	infos, err := store.ReadQueues(stateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s: no catpaw has kept anything there yet (%w)", stateDir, fs.ErrNotExist)
	case errors.Is(err, store.ErrInUse):
		return nil, nil, fmt.Errorf("%s is in use, but no catpaw answers on %s", stateDir, api.SocketPath(stateDir))
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(stateDir, store.FileName), err)
	}
	if !write {
		return &onDisk{infos: infos, owned: owned}, func() {}, nil
	}
	opened, _, err := store.Open(store.Config{Dir: stateDir, Log: zap.NewNop(), Owned: slices.Collect(maps.Keys(owned))})
	if err != nil {
		return nil, nil, err
	}
	return &local{store: opened}, func() { opened.Close() }, nil
}

// onDisk is a list that was read, and nothing more: who wants more opens the queues to write.
type onDisk struct {
	infos []store.QueueInfo
	owned map[string]bool
}

func (q *onDisk) List() ([]api.QueueStatus, error) {
	all := make([]api.QueueStatus, 0, len(q.infos)) // not nil, which is no list in JSON
	for _, info := range q.infos {
		info.Orphan = !q.owned[info.Name]
		all = append(all, api.QueueStatus{QueueInfo: info})
	}
	return all, nil
}

var errListOnly = errors.New("the queues were opened for a list only")

func (*onDisk) Events(string, bool, uint64) ([]api.QueuedEvent, error) { return nil, errListOnly }
func (*onDisk) Purge(string, bool) (int, error)                        { return 0, errListOnly }
func (*onDisk) Redrive(string, string) (int, error)                    { return 0, errListOnly }

// local works on a store of this process: the agent's, or one that was opened for the purpose.
type local struct {
	store   *store.Store
	health  func() map[string]pipeline.Health
	forgive func(output string) // nothing is left of what it did not deliver
}

func (q *local) List() ([]api.QueueStatus, error) {
	all, health := []api.QueueStatus{}, map[string]pipeline.Health{}
	if q.health != nil {
		health = q.health()
	}
	for _, info := range q.store.Queues() {
		all = append(all, api.QueueStatus{QueueInfo: info, Health: health[info.Name]})
	}
	return all, nil
}

// eventsAtOnce is how many events one call of Events returns.
const eventsAtOnce = 500

func (q *local) Events(name string, dead bool, after uint64) (events []api.QueuedEvent, err error) {
	if dead {
		letters, err := q.store.DeadLetters(name)
		for _, letter := range letters {
			if letter.Row.Seq > after && len(events) < eventsAtOnce {
				events = append(events, api.QueuedEvent{Seq: letter.Row.Seq, Refused: letter.Time, Reason: letter.Reason, Event: eventJSON(letter.Row)})
			}
		}
		return events, err
	}
	rows, err := q.store.Rows(name, after, eventsAtOnce)
	for _, row := range rows {
		events = append(events, api.QueuedEvent{Seq: row.Seq, Event: eventJSON(row)})
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

func (q *local) Purge(name string, dead bool) (int, error) {
	n, err := q.store.Purge(name, dead)
	q.forgiveEmpty(name)
	return n, err
}

func (q *local) Redrive(name, to string) (int, error) {
	n, err := q.store.Redrive(name, to)
	if to != name { // else what it refused is tried again, and tells by itself
		q.forgiveEmpty(name)
	}
	return n, err
}

// forgiveEmpty ends the failure of an output of which nothing is left to deliver: no event comes that would.
func (q *local) forgiveEmpty(name string) {
	if q.forgive == nil {
		return
	}
	letters, err := q.store.DeadLetters(name) // not the count, which comes with the next write
	owes := func(info store.QueueInfo) bool { return info.Name == name && info.Queued > 0 }
	if err == nil && len(letters) == 0 && !slices.ContainsFunc(q.store.Queues(), owes) {
		q.forgive(name)
	}
}

// orphanWarning says what to do about a queue that no output owns.
func orphanWarning(q store.QueueInfo) string {
	return fmt.Sprintf("the queue %q belongs to no output: %d events and %d dead letters wait in it. Configure an output of that name, or catpaw queue redrive %s --to OUTPUT, or catpaw queue purge %s",
		q.Name, q.Queued, q.Held, q.Name, q.Name)
}

// OrphanWarnings tells of queues that no output of the configuration owns. It changes nothing.
func OrphanWarnings(c *Configuration) (warnings []string) {
	queues, closeThem, err := OpenQueues(c.StateDir, c.Outputs, false)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil // another user's agent, whose own log has them; or none so far
		}
		return []string{err.Error()}
	}
	defer closeThem()
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
