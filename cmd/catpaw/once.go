package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"catpaw/agent"
	"catpaw/internal/printable"
	"catpaw/internal/redact"
	"catpaw/pipeline"
)

func newOnce(f *flags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "once", Short: "Run every check once and print what each found",
		Long: `once runs every check one time and prints what it found. Nothing is sent to any output, and no
alert is opened, so for_duration and the like play no part.

Exit status: 0 all is well, 1 something is Critical, Warning or Info, 2 it could not run.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return once(cmd, f, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a result")
	return cmd
}

func once(cmd *cobra.Command, f *flags, asJSON bool) error {
	c, err := f.load()
	if err != nil {
		return &exitError{2, err}
	}
	for _, warning := range c.Warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "catpaw: warning: "+warning)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	events := agent.Once(ctx, c.Checks)
	if ctx.Err() != nil {
		return &exitError{2, context.Cause(ctx)}
	}
	write := printTable
	if asJSON {
		write = printEvents
	}
	if err := write(cmd.OutOrStdout(), events); err != nil {
		return &exitError{2, err}
	}
	if len(events) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "catpaw: nothing was looked at: the checks have no targets yet")
	}
	for _, event := range events {
		if event.Status.IsBad() {
			return &exitError{code: 1}
		}
	}
	return nil
}

func printEvents(w io.Writer, events []*pipeline.Event) error {
	for _, event := range events {
		if _, err := w.Write(append(pipeline.AppendResult(nil, event), '\n')); err != nil {
			return err
		}
	}
	return nil
}

func printTable(w io.Writer, events []*pipeline.Event) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATUS\tPROBE\tCHECK\tWHERE\tMEASURED")
	for _, e := range events {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.Status, e.Labels.Get("from_plugin"),
			oneLine(e.Labels.Get("check")), oneLine(e.Where()), measured(e.Attrs))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, e := range events {
		if e.Status.IsBad() {
			fmt.Fprintf(w, "\n%s: %s\n", e.Status, oneLine(e.Title()+" "+e.Where()))
			text := strings.TrimSpace(strings.TrimPrefix(e.Description, "[MD]"))
			fmt.Fprintln(w, "  "+strings.ReplaceAll(printable.Lines(redact.Logins(text)), "\n", "\n  "))
		}
	}
	return nil
}

// measured prints the attrs in the order in which the probe gave them, seconds as durations.
func measured(attrs []pipeline.Attr) string {
	parts := make([]string, 0, len(attrs))
	for _, attr := range attrs {
		seconds, isFloat := attr.Value.(float64)
		if name, ok := strings.CutSuffix(attr.Key, "_seconds"); ok && isFloat {
			parts = append(parts, name+"="+span(seconds))
			continue
		}
		parts = append(parts, oneLine(fmt.Sprintf("%s=%v", attr.Key, attr.Value)))
	}
	return strings.Join(parts, " ")
}

// oneLine fits a text into a cell of a table.
func oneLine(text string) string { return printable.Line(redact.Logins(text), printable.Cell) }

// longLine is oneLine for what stands on a line of its own.
func longLine(text string) string { return printable.Line(redact.Logins(text), 1000) }
