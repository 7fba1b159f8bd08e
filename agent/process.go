package agent

import (
	"slices"

	"github.com/shirou/gopsutil/v3/process"

	"catpaw/agent/api"
)

// ThisProcess describes a running process.
func ThisProcess(pid int, command string) (api.Process, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return api.Process{}, err
	}
	begun, err := p.CreateTime()
	return api.Process{PID: pid, Begun: begun, Mark: markOf(pid), Command: command}, err
}

// processRuns reports whether it is still that process that has its PID. One that was described without a mark, by an
// older version or a user of the API, is given it: Begun is computed from the clock, and fits no more when that is set.
func processRuns(p *api.Process) bool {
	now, err := ThisProcess(p.PID, "")
	if err != nil || isZombie(p.PID) {
		return false
	}
	if p.Mark != "" && now.Mark != "" {
		return p.Mark == now.Mark
	}
	const slack = 1000 // milliseconds: the boot time, from which the beginning is computed, is not exact
	if now.Begun-p.Begun > slack || p.Begun-now.Begun > slack {
		return false
	}
	p.Mark = now.Mark
	return true
}

// isZombie: it has ended, and whoever began it has not asked how.
func isZombie(pid int) bool {
	states, err := (&process.Process{Pid: int32(pid)}).Status()
	return err == nil && slices.Contains(states, process.Zombie)
}
