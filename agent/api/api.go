// Package api is how people and programs talk to a running agent: JSON over HTTP on the control socket, and in part
// where [status] listen says, with the status page and the metrics. docs/api.md describes it for its users.
package api

import (
	"context"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors/alerting"
	"catpaw/processors/silence"
)

// Agent is what can be asked of a running agent. Its methods may be called from any goroutine.
type Agent interface {
	// Status is how it is doing.
	Status() (Status, error)
	// Why tells the stories of what is asked for: an alert key, a target, a check.
	Why(asked string) (Why, error)
	// Reload has it read its configuration again. The error holds every fault, one a line.
	Reload(ctx context.Context) (Changes, error)
	// SetLogLevel changes how much it logs, until its next start or reload; "" changes nothing.
	SetLogLevel(level string) (before string, err error)

	// Silences are those in force.
	Silences() ([]Silence, error)
	AddSilence(n NewSilence) (Added, error)
	// Follow binds a silence to a process.
	Follow(id int, p Process) (Changed, error)
	EndSilence(id int) (Changed, error)
	// Ack acknowledges an open alert, by its key, the beginning of it or another name; Unack takes that back.
	Ack(asked, by, reason string) (Acked, error)
	Unack(asked string) (Acked, error)

	Queues

	// Stuck says what does not move any more, Unwell also that nothing can be kept on disk; nil when all is well.
	Stuck() error
	Unwell() error
}

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
}

// Alert is a live alert, Story how it came to be what it is, Refusal what a sink refused of it, Silence a silence or a window of the configuration that
// is open now, which has no ID, and Process one that a silence lasts as long as.
type (
	Alert   = alerting.View
	Story   = alerting.Story
	Refusal = alerting.Refusal
	Silence = silence.Silence
	Process = silence.Process
)

// Status is how an agent is doing.
type Status struct {
	Version  string    `json:"version"`
	Host     string    `json:"host"`
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Config   Loaded    `json:"configuration"`
	LogLevel string    `json:"log_level"`
	State    StateDir  `json:"state"`

	Checks  []pipeline.CheckHealth `json:"checks"`
	Idle    []Idle                 `json:"idle"`
	Alerts  []Alert                `json:"alerts"`
	Outputs []QueueStatus          `json:"outputs"`

	Heartbeat   *Heartbeat `json:"heartbeat,omitempty"`    // nil where none is configured
	PageTrouble string     `json:"page_trouble,omitempty"` // why the page cannot be served where [status] says
}

// Idle is an instance that watches nothing, for its options name nothing to look at: it is no check, and never runs.
type Idle struct {
	Plugin  string `json:"plugin"`
	Source  string `json:"at"`       // file:line
	LooksAt string `json:"looks_at"` // "nothing", and why
}

// Heartbeat is how it goes to tell a watchdog elsewhere that all is well.
type Heartbeat struct {
	LastBeat time.Time `json:"last_beat,omitzero"`
	Error    string    `json:"error,omitempty"` // why the last one was withheld or did not get through
}

// Loaded is the configuration that an agent runs.
type Loaded struct {
	Directory string    `json:"directory"`
	Hash      string    `json:"hash"` // changes with every change of what is configured
	At        time.Time `json:"read_at"`
	Warnings  []string  `json:"warnings,omitempty"`
	Refused   string    `json:"refused,omitempty"` // why the last reload was: what runs is older than the files
}

// StateDir is how the store of an agent is doing.
type StateDir struct {
	Directory string    `json:"directory"`
	Trouble   string    `json:"trouble,omitempty"`
	Since     time.Time `json:"since,omitzero"`
}

// Why is what an agent knows of an alert, a target or a check.
type Why struct {
	Asked   string                 `json:"asked"`
	Stories []Story                `json:"alerts"`
	More    int                    `json:"more,omitempty"` // stories that are left out
	Checks  []pipeline.CheckHealth `json:"checks"`         // those that report, or would report it
	Outputs []QueueStatus          `json:"outputs"`        // those that have something yet to deliver, or fail
}

// Changes is what a reload changed. Checks are named by probe, identity and place, outputs by name.
type Changes struct {
	Added     []string `json:"added"`
	Removed   []string `json:"removed"`
	Changed   []string `json:"changed"`
	Untouched int      `json:"untouched"`
	Hash      string   `json:"hash"`
	Warnings  []string `json:"warnings,omitempty"` // what is not as the files may be read, such as a page that cannot be served
}

// Unkept tells of a change that is in force, but would be forgotten should the agent end now.
type Unkept struct {
	NotOnDisk string `json:"not_on_disk,omitempty"` // why; "" where it is on disk
}

// Changed is a silence that was changed or ended, Acked an alert that was acknowledged, or is no more.
type (
	Changed struct {
		Silence
		Unkept
	}
	Acked struct {
		Alert
		Unkept
	}
)

// Added is a silence that was begun, and what is open of what it keeps from being told.
type Added struct {
	Silence
	Unkept
	Alerts []string `json:"open_alerts"` // their titles and targets, the first few
	More   int      `json:"more,omitempty"`
	Hint   string   `json:"hint,omitempty"` // what may be wrong with it, where it matches nothing
}

// NewSilence is what a silence is begun with.
type NewSilence struct {
	Match   map[string]config.Strings `json:"match"`
	For     float64                   `json:"for_seconds,omitempty"`
	Process Process                   `json:"process,omitzero"`
	Reason  string                    `json:"reason,omitempty"`
	By      string                    `json:"by,omitempty"`
}
