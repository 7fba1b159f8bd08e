package journaltail

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"catpaw/internal/command"
	"catpaw/internal/printable"
)

// errCursor is that journalctl takes the cursor for none.
var errCursor = errors.New("journalctl does not take the cursor at which the last run ended")

// outcome is how a call of journalctl ended that did its work, or some of it.
type outcome struct {
	read   int64  // entries taken
	cut    string // why it ended before it had told all, "" = it did not
	remark string // what it said beside
}

// filters are the options that choose entries, as journalctl takes them.
func (p *Probe) filters() (options []string) {
	for _, unit := range p.Units {
		options = append(options, "--unit="+unit)
	}
	for _, identifier := range p.Identifiers {
		options = append(options, "--identifier="+identifier)
	}
	if p.Priority != "" {
		options = append(options, "--priority="+p.Priority)
	}
	return options
}

// since is the option for entries from a time on, in microseconds.
func since(micros int64) string {
	text := time.UnixMicro(micros).UTC().Format(".000000")
	return "--since=@" + strconv.FormatInt(time.UnixMicro(micros).Unix(), 10) + text
}

// call runs journalctl and hands every entry to take, which says whether it counts. Options that this
// version does not know are left out from then on.
func (p *Probe) call(ctx context.Context, s stream, options []string, take func(*entry) bool) (outcome, error) {
	for {
		argv := append([]string{p.journalctl, "--no-pager", "--output=json", "--all"}, s.where...)
		if !p.noFields {
			argv = append(argv, "--output-fields="+outputFields)
		}
		out, result, err := p.run(ctx, append(argv, options...), take)
		if !p.noFields && result.Exit > 0 && strings.Contains(string(result.Stderr), "--output-fields") {
			p.noFields = true // before systemd 236
			continue
		}
		if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), command.ErrTimeout) {
			err = context.Cause(ctx) // the agent stops
		}
		return out, err
	}
}

// environment makes journalctl say the same whatever the agent's own environment: its hints are to be
// seen, and in English.
func environment() []string {
	return command.Environ(os.Environ(), nil, "LC_ALL=C", "SYSTEMD_LOG_LEVEL=notice", "SYSTEMD_LOG_TARGET=console",
		"SYSTEMD_LOG_LOCATION=0", "SYSTEMD_LOG_TIME=0", "SYSTEMD_LOG_COLOR=0", "SYSTEMD_COLORS=0")
}

func (p *Probe) run(ctx context.Context, argv []string, take func(*entry) bool) (outcome, command.Result, error) {
	var out outcome
	var fault error
	reading, stop := context.WithCancel(ctx)
	defer stop()
	result := command.Run(reading, command.Spec{Argv: argv, Env: environment(), Stdout: func(stdout io.Reader) {
		if out.read, fault = readEntries(stdout, take); fault != nil && !errors.Is(fault, io.ErrUnexpectedEOF) {
			stop() // it makes no sense to read on
		}
	}})
	stderr := printable.Line(string(result.Stderr), 300)
	switch {
	case fault != nil && (!errors.Is(fault, io.ErrUnexpectedEOF) || result.Clean()):
		return out, result, p.strange(fault)
	case result.Err == nil && p.blind(stderr):
		return out, result, p.noRights(stderr)
	case result.Clean():
		out.remark = stderr
		return out, result, nil
	case errors.Is(result.Err, command.ErrTimeout) && out.read > 0:
		out.cut = "the time (timeout) was over"
		return out, result, nil
	case result.Err == nil && out.read > 0:
		out.cut = "journalctl failed: " + stderr
		return out, result, nil
	}
	return out, result, p.why(&result, stderr)
}

// readEntries reads to the end, which in the middle of an entry is io.ErrUnexpectedEOF.
func readEntries(r io.Reader, take func(*entry) bool) (taken int64, err error) {
	d := newDecoder(r)
	var e entry
	for {
		if err := d.next(&e); err != nil {
			if err == io.EOF {
				err = nil
			}
			return taken, err
		}
		if take(&e) {
			taken++
		}
	}
}
