package agent

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// Words of sd_notify(3). Without systemd, or with a service of another type, nobody hears them.
func (a *Agent) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		a.log.Warn("cannot tell systemd", zap.String("state", state), zap.Error(err))
	}
}

// watchdog tells systemd's (WatchdogSec=) that the agent moves, as long as it does. Trouble with the disk is none of
// its business: a restart would lose what memory holds meanwhile.
func (a *Agent) watchdog(ctx context.Context) {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil || within == 0 {
		return
	}
	tick := time.NewTicker(within / 3)
	defer tick.Stop()
	said := false
	for {
		err := a.vitals.stuck(time.Now())
		switch {
		case err == nil:
			a.notify(daemon.SdNotifyWatchdog)
		case !said:
			a.log.Error("systemd's watchdog is not told that all is well", zap.Error(err))
		}
		said = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
