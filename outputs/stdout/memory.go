package stdout

import (
	"context"
	"sync"

	"catpaw/pipeline"
)

// maxPrinted bounds what is remembered of events that are never asked for again. Beyond it some may be
// printed twice.
const maxPrinted = 100_000

// memory is what an output knows of events that it could not give a verdict on in time.
type memory struct {
	mu      sync.Mutex
	flights []*flight       // left behind and not yet noted
	printed map[string]bool // ids on the stream that no verdict has told of
	begun   map[string]bool // ids with half a line on the stream; the stream owes the rest
}

// leave hands over a write that is still under way.
func (m *memory) leave(f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flights = append(m.flights, f)
}

// settle waits for the writes left behind and notes what they printed; false when ctx ends first.
func (m *memory) settle(ctx context.Context) bool {
	m.mu.Lock()
	flights := m.flights
	m.mu.Unlock()
	for _, f := range flights {
		select {
		case <-f.done:
		case <-ctx.Done():
			return false
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	left := m.flights[:0:0]
	for _, f := range m.flights {
		select {
		case <-f.done:
			m.note(f)
		default:
			left = append(left, f)
		}
	}
	m.flights = left
	return true
}

// note remembers what an ended write did.
func (m *memory) note(f *flight) {
	if m.printed == nil || len(m.printed) > maxPrinted {
		m.printed, m.begun = map[string]bool{}, map[string]bool{}
	}
	if f.paid {
		for id := range m.begun {
			m.printed[id] = true
		}
		clear(m.begun)
	}
	for _, one := range f.lines[:f.ended] {
		m.printed[one.id] = true
	}
	if f.begun {
		m.begun[f.lines[f.ended].id] = true
	}
}

func (m *memory) knows(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.printed[id] || m.begun[id]
}

// verdicts tells what became of each message after the write has ended.
func (m *memory) verdicts(f *flight, batch []*pipeline.Message) []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.err == nil && len(m.printed)+len(m.begun) == 0 {
		return nil // as always
	}
	m.note(f)
	verdicts := make([]error, len(batch))
	for i, message := range batch {
		if id := message.ID(); m.printed[id] {
			delete(m.printed, id)
		} else {
			verdicts[i] = f.err
		}
	}
	return verdicts
}
