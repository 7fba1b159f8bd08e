package journaltail

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

const (
	memoryVersion = 1
	// maxPositions bounds the streams that are remembered; those longest not there are forgotten first.
	maxPositions = 1000
	// maxTexts bounds the lines that are remembered, in bytes: a description holds no more.
	maxTexts = 4 << 10
)

// memory is what is kept from run to run. Times are microseconds since 1970, as in the journal.
type memory struct {
	Version   int                 `json:"v"`
	Began     int64               `json:"began"`            // the first run looked back to here
	Positions map[string]position `json:"at"`               // by stream
	Behind    int64               `json:"behind,omitempty"` // since when the end is not reached; 0 = it is
	Episode   episode             `json:"episode"`
}

// position is how far one stream was read.
type position struct {
	Cursor  string `json:"c,omitempty"` // the entry read last; "" = none yet
	Chosen  bool   `json:"m,omitempty"` // units, identifiers and priority choose that entry
	Last    int64  `json:"t,omitempty"` // the time of that entry
	Reached int64  `json:"r,omitempty"` // when the stream was last read to its end
}

// episode is the matching lines since the alert became bad.
type episode struct {
	Total int64  `json:"n,omitempty"`
	Since int64  `json:"s,omitempty"` // time of the earliest
	Fresh int64  `json:"f,omitempty"` // time of the newest, but never in the future
	Lines []line `json:"l,omitempty"` // the newest of them, in order of time
	Over  bool   `json:"o,omitempty"` // it has ended; it is kept for whoever is told of the end
}

// line is a matching line, ready to be shown.
type line struct {
	Time int64  `json:"t"`
	Text string `json:"x"`
}

// recall decodes what was remembered. What cannot be read, or is of another version, is as nothing.
func recall(data []byte) (m memory, ok bool) {
	if len(data) == 0 || json.Unmarshal(data, &m) != nil || m.Version != memoryVersion {
		return memory{Version: memoryVersion, Positions: map[string]position{}}, false
	}
	if m.Positions == nil {
		m.Positions = map[string]position{}
	}
	return m, true
}

func (m *memory) encode() []byte {
	m.bound()
	data, err := json.Marshal(m)
	if err != nil {
		panic(err) // there is nothing in it that JSON could not hold
	}
	return data
}

// bound forgets the streams that were longest not read.
func (m *memory) bound() {
	if len(m.Positions) <= maxPositions {
		return
	}
	keys := make([]string, 0, len(m.Positions))
	for key := range m.Positions {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(m.Positions[b].Reached, m.Positions[a].Reached) })
	for _, key := range keys[maxPositions:] {
		delete(m.Positions, key)
	}
}

// add takes the matching lines of one run.
func (e *episode) add(found *matches, maxLines int) {
	if found.total == 0 {
		return
	}
	if e.Over {
		*e = episode{}
	}
	if e.Total == 0 || found.earliest < e.Since {
		e.Since = found.earliest
	}
	e.Total += found.total
	e.Fresh = max(e.Fresh, found.fresh)
	e.Lines = latest(append(e.Lines, found.lines...), maxLines)
	for room, i := maxTexts, len(e.Lines)-1; i >= 0; i-- {
		if room -= len(e.Lines[i].Text); room < 0 {
			e.Lines = e.Lines[i+1:]
			break
		}
	}
}

// young reports whether the newest line is younger than span.
func (e *episode) young(now time.Time, span time.Duration) bool {
	return e.Total > 0 && !e.Over && now.Sub(time.UnixMicro(e.Fresh)) < span
}

// latest sorts lines by time, those of one time as they came, and keeps the last so many.
func latest(lines []line, count int) []line {
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.Time, b.Time) })
	return lines[max(0, len(lines)-count):]
}
