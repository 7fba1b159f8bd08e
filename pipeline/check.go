package pipeline

import (
	"time"

	"catpaw/internal/config"
)

// Check is one [[instances]] block, ready to run. It does not change once it runs.
type Check struct {
	ID       string // plugin/hash-of-options: the same over restarts and over changes of interval, labels or alerting
	Content  string // hash of everything: a reload leaves a check alone when this is equal
	Plugin   string
	Source   string // file:line of the block
	LooksAt  string // for people: its first few targets, or its own name
	Interval time.Duration
	Policy   Policy
	// Labels of the configuration, sorted: they win over the probe's own.
	Labels Labels
	Input  Input
}

// Policy is [instances.alerting]: when an alert is told, repeated, and told to be over.
type Policy struct {
	Enabled              bool            `toml:"enabled"`
	ForDuration          config.Duration `toml:"for_duration"`
	ForChecks            int             `toml:"for_checks"`
	RepeatInterval       config.Duration `toml:"repeat_interval"`
	RepeatNumber         int             `toml:"repeat_number"`
	RecoverChecks        int             `toml:"recover_checks"`
	RecoveryNotification bool            `toml:"recovery_notification"`
	ResolveAbsent        bool            `toml:"resolve_absent"`
	FlapWindow           config.Duration `toml:"flap_window"`
	DefaultSeverity      Severity        `toml:"default_severity"`
}

// DefaultPolicy is the policy of a check without an alerting table.
func DefaultPolicy() Policy {
	return Policy{
		Enabled:              true,
		ForChecks:            1,
		RepeatInterval:       config.Duration(5 * time.Minute),
		RecoverChecks:        1,
		RecoveryNotification: true,
		ResolveAbsent:        true,
		FlapWindow:           config.Duration(10 * time.Minute),
		DefaultSeverity:      Severity(Warning),
	}
}

// Severity is a Status as an option: Info, Warning or Critical, in any case.
type Severity Status

// UnmarshalText reads the severity's name.
func (s *Severity) UnmarshalText(text []byte) error {
	status, err := ParseSeverity(string(text))
	*s = Severity(status)
	return err
}
