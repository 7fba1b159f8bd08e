//go:build unix && !darwin && !freebsd && !netbsd

package filechange

import (
	"syscall"
	"time"
)

func ctime(stat *syscall.Stat_t) int64 { return nanoseconds(time.Unix(stat.Ctim.Unix())) }
