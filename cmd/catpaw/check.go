package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"catpaw/agent"
)

func newCheck(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Judge the configuration: print what would run, or every fault",
		Long: `check reads the configuration and judges it as a start would, without running anything. It prints
what would run, or every fault with its file and line.

Exit status: 0 the configuration is good, 1 it is not.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd, f, printConfiguration) },
	}
}

// check judges the configuration and has the good one shown.
func check(cmd *cobra.Command, f *flags, show func(io.Writer, string, *agent.Configuration) error) error {
	c, err := f.load()
	if err != nil {
		return err
	}
	c.Warnings = append(c.Warnings, agent.OrphanWarnings(c)...)
	return show(cmd.OutOrStdout(), f.configs, c)
}

func printConfiguration(w io.Writer, dir string, c *agent.Configuration) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tEVERY\tCONFIGURED AT\tLOOKS AT")
	for _, check := range c.Checks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", check.ID, check.Interval, check.Source, oneLine(check.LooksAt))
	}
	for _, idle := range c.Idle {
		fmt.Fprintf(table, "%s\t-\t%s\t%s\n", idle.Plugin, idle.Source, idle.LooksAt)
	}
	fmt.Fprintln(table, "\nOUTPUT\tKIND\tCONFIGURED AT\tAT ONCE\tHEARS OF")
	for _, output := range c.Outputs {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", output.Name, output.Plugin, output.Source, output.Concurrency, oneLine(output.Route.String()))
	}
	if len(c.Sections) > 0 {
		fmt.Fprintln(table, "\nBESIDE\tCONFIGURED AT")
	}
	for _, section := range c.Sections {
		fmt.Fprintf(table, "%s\t%s\n", section.Name, section.Source)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return printVerdict(w, dir, c)
}

// printVerdict prints the warnings, and that all else is good.
func printVerdict(w io.Writer, dir string, c *agent.Configuration) error {
	for _, warning := range c.Warnings {
		fmt.Fprintln(w, "warning: "+warning)
	}
	nothing := ""
	if len(c.Checks) == 0 {
		nothing = "; nothing is watched until an instance says what"
	}
	_, err := fmt.Fprintf(w, "%s is good: %s, %s%s\n", dir, count(len(c.Checks), "check"), count(len(c.Outputs), "output"), nothing)
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
