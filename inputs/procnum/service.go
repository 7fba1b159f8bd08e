package procnum

import (
	"context"
	"errors"
)

// errNoService is the error of a service that the service manager does not know.
var errNoService = errors.New("there is no service of this name")

// service is what the Windows service manager says of a service.
type service struct {
	state   string // "running", "stopped", "paused", …
	running bool   // only this counts: a stopped, paused, starting or stopping service does no work
	pid     int32  // 0 = none
}

// queryService asks the service manager.
type queryService func(ctx context.Context, name string) (service, error)
