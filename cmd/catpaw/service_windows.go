package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"catpaw/agent"
	"catpaw/pipeline"
)

// serviceName is how the service manager knows catpaw.
const serviceName = "catpaw"

// serviceWait is how long the service manager may take to start or stop the service.
const serviceWait = 30 * time.Second

func newService(f *flags) *cobra.Command {
	root := &cobra.Command{
		Use: "service", Short: "Install catpaw as a Windows service, start and stop it",
		Long: `service has Windows run catpaw from boot on, and start it again where it ends. As a service catpaw logs into
catpaw.log in its state directory, unless [log] output names a file. It asks for an administrator.`,
	}
	for _, one := range []struct {
		verb, short, past string
		do                func() error
	}{
		{"install", "Install the service, with the -configs, -state-dir and -plugins given here", "is installed; start it with catpaw service start", func() error { return installService(f, root.ErrOrStderr()) }},
		{"uninstall", "Stop the service and remove it; configuration and state stay", "is removed", uninstallService},
		{"start", "Start the service", "runs", func() error { return withService(startService) }},
		{"stop", "Stop the service", "is stopped", func() error { return withService(stopService) }},
	} {
		root.AddCommand(&cobra.Command{
			Use: one.verb, Short: one.short, Args: noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				if err := one.do(); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "the service %s %s\n", serviceName, one.past)
				return err
			},
		})
	}
	root.AddCommand(&cobra.Command{
		Use: "run", Hidden: true, Args: noArgs, // for the service manager
		RunE: func(*cobra.Command, []string) error { return runService(f) },
	})
	return group(root)
}

// installService judges the configuration first: who installs is there to mend it. Warnings go to w.
func installService(f *flags, w io.Writer) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	configs, err := filepath.Abs(f.configs)
	if err != nil {
		return err
	}
	state, err := filepath.Abs(c.StateDir)
	if err != nil {
		return err
	}
	args := []string{"service", "run", "--configs", configs, "--state-dir", state}
	if f.plugins != "" {
		args = append(args, "--plugins", f.plugins)
	}
	manager, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("cannot reach the service manager; run this as an administrator: %w", err)
	}
	defer manager.Disconnect()
	service, err := manager.CreateService(serviceName, program, mgr.Config{
		StartType: mgr.StartAutomatic, DisplayName: serviceName, Description: "Watches this host and tells people when something is wrong",
	}, args...)
	if err != nil {
		return fmt.Errorf("cannot install the service: %w", err)
	}
	defer service.Close()
	if err := restartAlways(service); err != nil {
		return errors.Join(fmt.Errorf("cannot have Windows start the service again where it ends, so it is not installed: %w", err), service.Delete())
	}
	if tellsNobody(c.Outputs) {
		fmt.Fprintf(w, "catpaw: warning: a service has no standard output, and there is no other output: nobody is told anything; add one in %s\n", filepath.Join(configs, "config.toml"))
	}
	return nil
}

// restarts is what the service manager can be told of a service's end.
type restarts interface {
	SetRecoveryActions(actions []mgr.RecoveryAction, resetPeriod uint32) error
	SetRecoveryActionsOnNonCrashFailures(flag bool) error
}

// restartAlways has the service come back however it ends, unless somebody stops it. An agent that gives up says so to
// the service manager, for which that is no crash: it has to be told that this counts, too.
func restartAlways(service restarts) error {
	const pause, forget = 5 * time.Second, 24 * time.Hour
	if err := service.SetRecoveryActions([]mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: pause}}, uint32(forget.Seconds())); err != nil {
		return err
	}
	err := service.SetRecoveryActionsOnNonCrashFailures(true)
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return nil // Wine does not know this; every Windows that Go runs on does
	}
	return err
}

// tellsNobody: a service has no standard output.
func tellsNobody(outputs []*pipeline.OutputSpec) bool {
	return !slices.ContainsFunc(outputs, func(o *pipeline.OutputSpec) bool { return o.Plugin != "stdout" })
}

func uninstallService() error {
	return withService(func(service *mgr.Service) error {
		if status, err := service.Query(); err == nil && status.State != svc.Stopped {
			if err := stopService(service); err != nil {
				return err
			}
		}
		return service.Delete()
	})
}

// startService waits until the agent runs, and passes on what the service wrote where it does not.
func startService(service *mgr.Service) error {
	log, err := findServiceLog()
	if err != nil {
		return err
	}
	before := log.size()
	if err := service.Start(); err != nil {
		return err
	}
	if err := waitService(service, svc.Running); err != nil {
		return log.explain(err, before)
	}
	return nil
}

func stopService(service *mgr.Service) error {
	if _, err := service.Control(svc.Stop); err != nil {
		return err
	}
	return waitService(service, svc.Stopped)
}

func withService(do func(*mgr.Service) error) error {
	manager, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("cannot reach the service manager; run this as an administrator: %w", err)
	}
	defer manager.Disconnect()
	service, err := manager.OpenService(serviceName)
	if err != nil {
		return fmt.Errorf("cannot open the service %s; install it with catpaw service install: %w", serviceName, err)
	}
	defer service.Close()
	return do(service)
}

func waitService(service *mgr.Service, want svc.State) error {
	for deadline := time.Now().Add(serviceWait); ; time.Sleep(100 * time.Millisecond) {
		status, err := service.Query()
		switch {
		case err != nil:
			return err
		case status.State == want:
			return nil
		case want == svc.Running && status.State == svc.Stopped:
			return fmt.Errorf("the service %s ended at once", serviceName)
		case time.Now().After(deadline):
			return fmt.Errorf("the service %s does not answer within %s", serviceName, serviceWait)
		}
	}
}

// runService is what the service manager starts.
func runService(f *flags) error {
	source, dir, err := f.stateDirectory()
	if err != nil {
		return err
	}
	output, err := openServiceLog(dir)
	if err != nil {
		return err
	}
	os.Stderr = output
	log.SetOutput(io.Discard) // as run does
	return svc.Run(serviceName, &service{source})
}

// service is catpaw as the service manager sees it.
type service struct{ source agent.Source }

// Execute runs until the manager says stop. The service runs when the agent does: who starts it waits for that, and
// learns of a faulty configuration.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ready, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() { ended <- agent.Run(ctx, s.source, nil, func() { ready <- struct{}{} }) }()
	status <- svc.Status{State: svc.StartPending, WaitHint: uint32(serviceWait.Milliseconds())}
	for {
		select {
		case <-ready:
			status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
		case err := <-ended:
			if err == nil {
				return false, 0
			}
			report(err)
			return false, uint32(windows.ERROR_EXCEPTION_IN_SERVICE)
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				status <- request.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending}
				cancel()
			}
		}
	}
}
