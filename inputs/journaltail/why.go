package journaltail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"os/user"
	"strings"

	"catpaw/internal/command"
)

// sayings are what journalctl says on stderr about a failure, and what they mean here.
var sayings = []struct {
	text  string
	means func(p *Probe, stderr string) error // nil = there is nothing to read, which is no failure
}{
	{"Failed to seek to cursor", func(*Probe, string) error { return errCursor }},
	// units with globs, none of which was ever in the journal
	{"Failed to add filter for units: No data available", nil},
	{"insufficient permissions", (*Probe).noRights},
	{"Permission denied", (*Probe).noRights},
}

// blind reports whether journalctl said that it shows only what the user wrote itself, and no failure.
func (p *Probe) blind(stderr string) bool {
	return strings.Contains(stderr, "not seeing messages from other users") || strings.Contains(stderr, "insufficient permissions")
}

func (p *Probe) noRights(stderr string) error {
	name := "the agent's user"
	if me, err := user.Current(); err == nil {
		name = me.Username
	}
	if p.Directory != "" {
		return fmt.Errorf("the user %s may not read all journal files in %s: make them readable to it, as with setfacl -R -m u:%s:rX %s. journalctl says: %s",
			name, p.Directory, name, p.Directory, stderr)
	}
	return fmt.Errorf("the user %s may not read the whole journal: add it to the group systemd-journal (usermod -aG systemd-journal %s) and restart the agent. journalctl says: %s",
		name, name, stderr)
}

func (p *Probe) why(result *command.Result, stderr string) error {
	switch {
	case !result.Started() && (errors.Is(result.Err, exec.ErrNotFound) || errors.Is(result.Err, fs.ErrNotExist)):
		return fmt.Errorf("%s is not here, and without it the journal cannot be read: install systemd, or remove this instance from this host", p.journalctl)
	case errors.Is(result.Err, command.ErrTimeout):
		return fmt.Errorf("journalctl gave no new line within %s: the disk may be slow or the journal large. Raise timeout, or choose less with units, identifiers or priority", p.Timeout)
	case result.Err != nil:
		return fmt.Errorf("journalctl: %w", result.Err)
	}
	for _, saying := range sayings {
		if strings.Contains(stderr, saying.text) {
			if saying.means == nil {
				return nil
			}
			return saying.means(p, stderr)
		}
	}
	switch {
	case result.Signal != "":
		return fmt.Errorf("journalctl was ended by signal %s: %s", result.Signal, stderr)
	case stderr == "" && result.Exit == 1:
		return nil // some versions say so that there are no entries
	}
	return fmt.Errorf("journalctl ended with exit status %d: %s. To look further: run %s by hand as the agent's user", result.Exit, stderr, p.byHand(0))
}

func (p *Probe) strange(fault error) error {
	if errors.Is(fault, io.ErrUnexpectedEOF) {
		fault = errors.New("its output ends in the middle of an entry")
	}
	return fmt.Errorf("journalctl cannot be understood: %w. To look further: run %s -o json by hand", fault, p.byHand(0))
}

// noJournal is the error of a host whose journal has not one entry.
func (p *Probe) noJournal() error {
	return errors.New("the journal of this host is empty, or hidden from the agent: see that systemd-journald runs, and that /var/log/journal or /run/log/journal can be read from where the agent runs (in a container: mount them, or set directory)")
}
