package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"catpaw/agent/api"
)

// ask makes a command that asks the running agent; answer is printed by show, or as JSON with --json.
func ask[T any](f *flags, cmd *cobra.Command, question func(c *api.Client, args []string) (T, error), show func(w io.Writer, answer T) error) *cobra.Command {
	var asJSON bool
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withClient(f, func(client *api.Client) error {
			answer, err := question(client, args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			return show(cmd.OutOrStdout(), answer)
		})
	}
	return cmd
}

// withClient reaches the running agent for do.
func withClient(f *flags, do func(c *api.Client) error) error {
	_, dir, err := f.stateDirectory()
	if err != nil {
		return err
	}
	client, err := api.Dial(dir)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}

func newReload(f *flags) *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "reload", Short: "Have the running agent read its configuration again", Args: noArgs,
		Long: `reload has the running agent read its configuration directory again, as SIGHUP does, and prints what
changed, and what is not as one might think, such as a status page whose address is taken. With any fault in
it nothing changes: every fault is printed, and the old configuration goes on.

Exit status: 0 reloaded, 1 refused, or no agent runs.`,
	}, func(c *api.Client, _ []string) (api.Changes, error) { return c.Reload() }, printChanges)
}

func printChanges(w io.Writer, c api.Changes) error {
	for _, part := range []struct {
		verb  string
		names []string
	}{{"added", c.Added}, {"removed", c.Removed}, {"changed", c.Changed}} {
		for _, name := range part.names {
			fmt.Fprintf(w, "%-8s %s\n", part.verb, name)
		}
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "%-8s %s\n", "warning", longLine(warning))
	}
	_, err := fmt.Fprintf(w, "reloaded: %d added, %d removed, %d changed, %d untouched\n",
		len(c.Added), len(c.Removed), len(c.Changed), c.Untouched)
	return err
}

func newLogLevel(f *flags) *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "loglevel [LEVEL]", Short: "Show or change how much the running agent logs", Args: cobra.MaximumNArgs(1),
		Long:      `loglevel changes the level of the running agent's log, until its next reload or start; without LEVEL it shows it.`,
		ValidArgs: []string{"debug", "info", "warn", "error", "fatal"},
	}, func(c *api.Client, args []string) (string, error) {
		level := strings.Join(args, "")
		before, err := c.SetLogLevel(level)
		if level != "" {
			before += " -> " + level
		}
		return before, err
	}, func(w io.Writer, level string) error {
		_, err := fmt.Fprintln(w, level)
		return err
	})
}
