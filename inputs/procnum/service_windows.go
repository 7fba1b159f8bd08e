package procnum

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

var serviceStates = map[svc.State]string{
	svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running",
	svc.ContinuePending: "continuing", svc.PausePending: "pausing", svc.Paused: "paused",
}

// askServiceManager opens manager and service with no more rights than the question needs, which ordinary
// users have: mgr.Connect and OpenService ask for all, which only administrators get.
func askServiceManager(_ context.Context, name string) (service, error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return service{}, fmt.Errorf("cannot open the service manager: %w", err)
	}
	defer windows.CloseServiceHandle(manager)
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return service{}, err
	}
	handle, err := windows.OpenService(manager, wide, windows.SERVICE_QUERY_STATUS)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) || errors.Is(err, windows.ERROR_INVALID_NAME) {
		return service{}, errNoService
	}
	if err != nil {
		return service{}, fmt.Errorf("cannot open the service: %w", err)
	}
	s := &mgr.Service{Name: name, Handle: handle}
	defer s.Close()
	status, err := s.Query()
	if err != nil {
		return service{}, fmt.Errorf("cannot query the service: %w", err)
	}
	return service{state: serviceStates[status.State], running: status.State == svc.Running, pid: int32(status.ProcessId)}, nil
}
