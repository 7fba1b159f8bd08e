//go:build !linux && !windows && !darwin

package procnum

import (
	"context"

	"github.com/shirou/gopsutil/v3/process"
)

func executables() map[int32]string { return nil }

func cmdline(ctx context.Context, pid int32) (string, error) {
	return (&process.Process{Pid: pid}).CmdlineWithContext(ctx)
}

func exePath(ctx context.Context, pid int32) (string, error) {
	return (&process.Process{Pid: pid}).ExeWithContext(ctx)
}
