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
	// `false`: nothing of this check is told; an open alert is told over
	Enabled bool `toml:"enabled"`
	// bad for this long before it is told. Time in which nobody looked does not count
	ForDuration config.Duration `toml:"for_duration"`
	// and bad this many times in a row
	ForChecks int `toml:"for_checks"`
	// least time between two notifications of a lasting alert; 0 = at every check
	RepeatInterval config.Duration `toml:"repeat_interval"`
	// most notifications of one episode, the first included, the recovery not; 0 = no limit
	RepeatNumber int `toml:"repeat_number"`
	// good results in a row before it counts as over
	RecoverChecks int `toml:"recover_checks"`
	// tell when it is over, if anything was told
	RecoveryNotification bool `toml:"recovery_notification"`
	// an alert that a good run no longer mentions is over (a script that prints nothing when all is well)
	ResolveAbsent bool `toml:"resolve_absent"`
	// an alert that opens again within this time of its recovery needs twice as many good results to recover, and
	// again twice for each further time (at most 16 times as many), so that a flapping check does not tell every edge;
	// 0 = off
	FlapWindow config.Duration `toml:"flap_window"`
	// `Info`, `Warning` or `Critical`, in any case of letters, for results that do not say
	DefaultSeverity Severity `toml:"default_severity"`
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
