//go:build !unix

package measure

import "time"

// CPU is not told here.
func CPU() time.Duration { return 0 }
