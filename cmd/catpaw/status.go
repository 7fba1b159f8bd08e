package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"catpaw/agent/api"
	"catpaw/pipeline"
)

func newStatus(f *flags) *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "status", Short: "Show how the running agent is doing: alerts, checks, outputs", Args: noArgs,
		Long: `status shows what the running agent knows: which alerts are open and what they wait for, how the checks
ran, what the outputs have yet to deliver. RECENT are the results of the last runs, the newest last: o is
Ok, I, W and C the severities, ? a run that could judge nothing.`,
	}, func(c *api.Client, _ []string) (api.Status, error) { return c.Status() },
		func(w io.Writer, s api.Status) error { return printStatus(w, s, time.Now(), coloursOn(w)) })
}

// coloursOn: on a terminal, unless the user says otherwise (https://no-color.org).
func coloursOn(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == ""
}

// ansi are all of one length, so that columns stay in line.
var ansi = map[string]string{
	"Critical": "\x1b[31m", "Warning": "\x1b[33m", "Info": "\x1b[36m", "Ok": "\x1b[32m", "": "\x1b[39m",
}

// painter colours a cell by the severity in it; every cell of a column must go through it.
type painter bool

func (p painter) cell(text string) string {
	if !p {
		return text
	}
	colour, known := ansi[text]
	if !known {
		colour = ansi[""]
	}
	return colour + text + "\x1b[39m"
}

func printStatus(w io.Writer, s api.Status, now time.Time, colours bool) error {
	fmt.Fprintf(w, "catpaw %s on %s, process %d, up for %s\n", s.Version, s.Host, s.PID, now.Sub(s.Started).Round(time.Second))
	fmt.Fprintf(w, "configuration %s, %s, read %s; log level %s\n", s.Config.Directory, s.Config.Hash, ago(s.Config.At, now), s.LogLevel)
	if s.Config.Refused != "" {
		fmt.Fprintf(w, "the last reload was refused:\n  %s\n", strings.ReplaceAll(s.Config.Refused, "\n", "\n  "))
	}
	if s.State.Trouble == "" {
		fmt.Fprintf(w, "state %s, all of it on disk\n\n", s.State.Directory)
	} else {
		fmt.Fprintf(w, "state %s: NOT on disk for %s: %s\n\n", s.State.Directory, now.Sub(s.State.Since).Round(time.Second), s.State.Trouble)
	}
	if s.PageTrouble != "" {
		fmt.Fprintf(w, "the status page cannot be served where it should be: %s\n\n", longLine(s.PageTrouble))
	}
	if s.Heartbeat != nil {
		fmt.Fprintf(w, "heartbeat: %s%s\n\n", lastBeat(s.Heartbeat.LastBeat, now), because(s.Heartbeat.Error))
	}
	paint := painter(colours)
	for _, print := range []func() error{
		func() error { return printAlerts(w, s.Alerts, now, paint) },
		func() error { return printChecks(w, s.Checks, s.Idle, now, paint) },
		func() error { return printQueues(w, s.Outputs, now) },
	} {
		if err := print(); err != nil {
			return err
		}
	}
	return nil
}

func lastBeat(at, now time.Time) string {
	if at.IsZero() {
		return "none yet"
	}
	return "last " + ago(at, now)
}

func because(fault string) string {
	if fault == "" {
		return ""
	}
	return "; " + oneLine(fault)
}

func printAlerts(w io.Writer, alerts []api.Alert, now time.Time, paint painter) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	shown := 0
	for _, a := range alerts {
		if !a.IsOpen() {
			continue
		}
		if shown++; shown == 1 {
			fmt.Fprintf(table, "%s\tKEY\tFOR\tTOLD\tALERT\n", paint.cell("SEVERITY"))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", paint.cell(a.Severity), shortKey(a.Key), now.Sub(a.FirstFire).Round(time.Second), toldOf(a), oneLine(a.Name()))
		for _, line := range []string{a.Seen, a.Standing} { // below, for they are long
			if line != "" {
				fmt.Fprintf(table, "%s\t\t\t\t  %s\n", paint.cell(""), longLine(line))
			}
		}
	}
	if shown == 0 {
		fmt.Fprintln(table, "no alert is open")
	}
	fmt.Fprintln(table)
	return table.Flush()
}

// toldOf is how often an alert was told, and of how many times.
func toldOf(a api.Alert) string {
	if a.Of > 0 {
		return fmt.Sprintf("%d of %d", a.Told, a.Of)
	}
	return fmt.Sprint(a.Told)
}

// named is a check's identity and what it looks at.
func named(c pipeline.CheckHealth) string {
	if c.LooksAt == "" {
		return c.ID
	}
	return c.ID + " (" + oneLine(c.LooksAt) + ")"
}

// shortKey is enough of an alert key for why.
func shortKey(key string) string { return key[:min(8, len(key))] }

func printChecks(w io.Writer, checks []pipeline.CheckHealth, idle []api.Idle, now time.Time, paint painter) error {
	const recent = 20
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\tID\tAT\tLAST RUN\tTOOK\tNEXT\tBAD\tSKIPPED\tRECENT\tLOOKS AT\n", paint.cell("RESULT"))
	for _, c := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d of %d\t%d\t%s\t%s\n", paint.cell(resultOf(c)), c.ID, c.Source, ago(c.Began, now),
			tookOf(c, now), orDash(max(0, c.Next.Sub(now))), c.Bad, c.Results, c.Skipped, strings.ReplaceAll(c.Recent[max(0, len(c.Recent)-recent):], "O", "o"), oneLine(c.LooksAt))
	}
	for _, i := range idle {
		fmt.Fprintf(table, "%s\t%s\t%s\t-\t-\t-\t-\t-\t\t%s\n", paint.cell("-"), i.Plugin, i.Source, i.LooksAt)
	}
	fmt.Fprintln(table)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range checks {
		if c.Error != "" || c.Panics > 0 {
			fmt.Fprintf(w, "%s: %s (%s)\n\n", c.ID, oneLine(c.Error), count(c.Panics, "panic"))
		}
	}
	return nil
}

func resultOf(c pipeline.CheckHealth) string {
	if c.Result == "" {
		return "-"
	}
	return c.Result
}

func tookOf(c pipeline.CheckHealth, now time.Time) string {
	if c.Running {
		return "running for " + now.Sub(c.Began).Round(time.Second).String()
	}
	if c.Runs == 0 {
		return "-"
	}
	return time.Duration(c.Took * float64(time.Second)).Round(100 * time.Microsecond).String()
}
