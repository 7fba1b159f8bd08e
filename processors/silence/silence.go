// Package silence keeps alerts from being told while somebody works on what they are about: silences that
// people begin and end while the agent runs, and the weekly windows of the configuration (window.go).
package silence

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Silence is one that somebody began. It ends at a time, with a process, or when somebody ends it.
type Silence struct {
	ID      int                       `json:"id"`
	Match   map[string]config.Strings `json:"match"` // labels and globs, all of which must fit
	Until   time.Time                 `json:"until,omitzero"`
	Process Process                   `json:"process,omitzero"` // in force while it runs
	Reason  string                    `json:"reason,omitempty"`
	By      string                    `json:"by,omitempty"`
	Begun   time.Time                 `json:"begun,omitzero"`

	globs []pipeline.LabelGlobs
}

// Process is a running process; two of one PID differ in their beginning.
type Process struct {
	PID     int    `json:"pid"`
	Begun   int64  `json:"begun"`          // unix milliseconds
	Mark    string `json:"mark,omitempty"` // the beginning as the system counts it, on no clock that may be set; "" where it does not
	Command string `json:"command,omitempty"`
}

// Silences are all of them. It is used by the processing goroutine only.
type Silences struct {
	runs    func(*Process) bool
	all     []*Silence // by ID
	lastID  int
	windows []*Window
}

// New returns no silences. runs tells whether a process still does, and may note its mark.
func New(runs func(*Process) bool) *Silences { return &Silences{runs: runs} }

// kept is what a store keeps.
type kept struct {
	LastID int        `json:"last_id"`
	All    []*Silence `json:"all"`
}

// Encode makes what Restore reads.
func (s *Silences) Encode() []byte {
	data, err := json.Marshal(kept{s.lastID, s.all})
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return data
}

// Restore takes over what a store has kept.
func (s *Silences) Restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var k kept
	if err := json.Unmarshal(data, &k); err != nil {
		return fmt.Errorf("the stored silences cannot be read: %w", err)
	}
	for _, one := range k.All {
		var err error
		if one.globs, err = pipeline.CompileLabels("match", one.Match); err != nil {
			return fmt.Errorf("stored silence %d: %w", one.ID, err)
		}
	}
	s.lastID, s.all = k.LastID, k.All
	return nil
}

// mostSilences is how many there may be at a time: each result that is bad is compared with all of them.
const mostSilences = 1000

// Longest is for how long a silence may be begun: one for ever is a check to be removed.
const Longest = 366 * 24 * time.Hour

// Add begins a silence and returns it with its ID.
func (s *Silences) Add(one Silence, now time.Time) (Silence, error) {
	err := judgeSize(&one)
	if err == nil {
		one.globs, err = pipeline.CompileLabels("match", one.Match)
	}
	if err != nil {
		return one, err
	}
	timed := !one.Until.IsZero()
	switch {
	case len(s.all) >= mostSilences:
		return one, fmt.Errorf("there are %d silences already: end some", len(s.all))
	case len(one.Match) == 0:
		return one, errors.New("say which alerts: at least one label must match")
	case !timed && one.Process.PID == 0:
		return one, errors.New("say for how long")
	case timed && !one.Until.After(now):
		return one, errors.New("it would be over already")
	case timed && one.Until.Sub(now) > Longest:
		return one, errors.New("at most a year")
	case one.Process.PID != 0 && !s.runs(&one.Process):
		return one, fmt.Errorf("process %d does not run", one.Process.PID)
	}
	s.lastID++
	one.ID, one.Begun = s.lastID, now
	s.all = append(s.all, &one)
	return one, nil
}

// Follow binds a silence to another process.
func (s *Silences) Follow(id int, process Process) (Silence, error) {
	i := s.find(id)
	if err := Brief("process.command", process.Command); err != nil {
		return Silence{}, err
	}
	switch {
	case i < 0:
		return Silence{}, fmt.Errorf("there is no silence %d", id)
	case s.all[i].Process.PID == 0:
		return Silence{}, fmt.Errorf("silence %d is bound to no process", id)
	case !s.runs(&process):
		return Silence{}, fmt.Errorf("process %d does not run", process.PID)
	}
	s.all[i].Process = process
	return *s.all[i], nil
}

// End ends a silence and returns it.
func (s *Silences) End(id int) (Silence, error) {
	i := s.find(id)
	if i < 0 {
		return Silence{}, fmt.Errorf("there is no silence %d: catpaw silence list shows them", id)
	}
	one := *s.all[i]
	s.all = slices.Delete(s.all, i, i+1)
	return one, nil
}

func (s *Silences) find(id int) int {
	return slices.IndexFunc(s.all, func(one *Silence) bool { return one.ID == id })
}

// Expire ends what is over, and returns it.
func (s *Silences) Expire(now time.Time) (over []Silence) {
	s.all = slices.DeleteFunc(s.all, func(one *Silence) bool {
		ends := !one.Until.IsZero() && !one.Until.After(now) || one.Process.PID != 0 && !s.runs(&one.Process)
		if ends {
			over = append(over, *one)
		}
		return ends
	})
	return over
}

// List returns those in force, the windows of the configuration, which have no ID, last.
func (s *Silences) List(now time.Time) []Silence {
	all := make([]Silence, 0, len(s.all))
	for _, one := range s.all {
		all = append(all, *one)
	}
	for _, window := range s.windows {
		if until, in := window.at(now); in {
			all = append(all, Silence{Match: window.Match, Until: until, Reason: window.Reason, By: window.Source})
		}
	}
	return all
}

// Use replaces the windows.
func (s *Silences) Use(windows []*Window) { s.windows = windows }

// Mutes is an alerting.Muter.
func (s *Silences) Mutes(_ string, labels pipeline.Labels, now time.Time) string {
	for _, one := range s.all {
		if (one.Until.IsZero() || one.Until.After(now)) && pipeline.FitPresent(one.globs, labels) {
			return "silenced by " + one.words()
		}
	}
	for _, window := range s.windows {
		if until, in := window.at(now); in && pipeline.FitPresent(window.globs, labels) {
			return "silenced by the window at " + window.Source + " until " + clock(until) + because(window.Reason)
		}
	}
	return ""
}

// words are the silence's number, end and reason.
func (s *Silence) words() string {
	until := "until " + clock(s.Until)
	if s.Process.PID != 0 {
		until = fmt.Sprintf("while process %d (%s) runs", s.Process.PID, s.Process.Command)
	}
	return fmt.Sprintf("%d %s%s", s.ID, until, because(s.Reason))
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func clock(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") }

// Fits reports whether the silence is of alerts with these labels.
func (s *Silence) Fits(labels pipeline.Labels) bool { return pipeline.FitPresent(s.globs, labels) }

// quotedLabel and quotedGlob write a label and a glob as catpaw silence add takes them: in double quotes where they would
// be read as another, or by people as two. page.js writes the same.
func quotedLabel(label string) string {
	return quotedIf(strings.HasPrefix(label, `"`) || strings.Contains(label, "=") || strings.Contains(label, ", "), label)
}

func quotedGlob(glob string) string {
	inQuotes := len(glob) > 1 && strings.HasPrefix(glob, `"`) && strings.HasSuffix(glob, `"`)
	return quotedIf(inQuotes || strings.Contains(glob, " or ") || strings.Contains(glob, ", "), glob)
}

func quotedIf(needed bool, text string) string {
	if needed || text == "" || strings.TrimSpace(text) != text {
		return `"` + text + `"`
	}
	return text
}

// Matching is what it matches, in words.
func (s *Silence) Matching() string {
	var parts []string
	for _, label := range slices.Sorted(maps.Keys(s.Match)) {
		globs := slices.Clone(s.Match[label])
		for i, glob := range globs {
			globs[i] = quotedGlob(glob)
		}
		parts = append(parts, quotedLabel(label)+" = "+strings.Join(globs, " or "))
	}
	return strings.Join(parts, ", ")
}
