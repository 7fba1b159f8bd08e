package pipeline

import (
	"fmt"
	"strings"
)

// Status is what a check found. The first two are for inputs only and never leave the agent.
type Status uint8

const (
	Bad      Status = iota // wrong, as bad as the check's default_severity says
	Unknown                // the probe could not judge this; the alert keeps its state
	Ok                     //
	Info                   // the severities, in rising order
	Warning                //
	Critical               //
)

var statusNames = [...]string{"Bad", "Unknown", "Ok", "Info", "Warning", "Critical"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// IsBad reports whether the status opens an alert.
func (s Status) IsBad() bool { return s >= Info }

// ParseSeverity reads Info, Warning or Critical, in any case.
func ParseSeverity(text string) (Status, error) {
	for s := Info; s <= Critical; s++ {
		if strings.EqualFold(text, s.String()) {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is not a severity: choose Info, Warning or Critical", text)
}

// ParseStatus reads a severity or Ok, in any case.
func ParseStatus(text string) (Status, error) {
	if strings.EqualFold(text, "Ok") {
		return Ok, nil
	}
	s, err := ParseSeverity(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not an event status: choose Critical, Warning, Info or Ok", text)
	}
	return s, nil
}
