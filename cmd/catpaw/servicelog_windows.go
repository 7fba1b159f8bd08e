package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// serviceLog is the file into which the service writes what it has no standard error for.
type serviceLog string

func logIn(stateDir string) serviceLog { return serviceLog(filepath.Join(stateDir, "catpaw.log")) }

// openServiceLog opens what takes the place of standard error.
func openServiceLog(stateDir string) (*os.File, error) {
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(string(logIn(stateDir)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// findServiceLog is that of the installed service, whose state need not be where the flags of this call say. The
// registry has its command line; mgr.Service.Config asks for more, which Wine does not answer.
func findServiceLog() (serviceLog, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\`+serviceName, registry.QUERY_VALUE)
	if err != nil {
		return "", err
	}
	defer key.Close()
	line, _, err := key.GetStringValue("ImagePath")
	if err != nil {
		return "", err
	}
	args, err := windows.DecomposeCommandLine(line)
	if err != nil {
		return "", err
	}
	at := slices.Index(args, "--state-dir") + 1
	if at == 0 || at == len(args) {
		return "", fmt.Errorf("the service %s was not installed by catpaw: it runs %s; do catpaw service uninstall, then install", serviceName, line)
	}
	return logIn(args[at]), nil
}

func (l serviceLog) size() int64 {
	info, err := os.Stat(string(l))
	if err != nil {
		return 0 // it is yet to be written
	}
	return info.Size()
}

// explain adds to a fault of the service where its log is, and the faults that it wrote there since then.
func (l serviceLog) explain(fault error, since int64) error {
	text, _ := os.ReadFile(string(l)) // where nothing can be read, its name must do
	written := string(text[min(since, int64(len(text))):])
	return errors.Join(append([]error{fmt.Errorf("%w; its log is %s", fault, l)}, reportedIn(written)...)...)
}

// reportedIn are the faults that report wrote into a log.
func reportedIn(text string) (faults []error) {
	for line := range strings.Lines(text) {
		if fault, ok := strings.CutPrefix(line, "catpaw: "); ok {
			faults = append(faults, errors.New(strings.TrimSpace(fault)))
		}
	}
	return faults
}
