//go:build !linux

package agent

import "time"

// sinceBoot is not known here.
func sinceBoot() time.Duration { return 0 }
