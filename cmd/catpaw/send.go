package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"catpaw/agent"
)

func newSend(f *flags) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "send", Short: "Send a test event and its recovery through the real outputs",
		Long: `send sends a test event, status Info, and its recovery through the configured outputs, past their
queues and whatever they are to hear of (min_severity, match), and prints what each said. Verdicts go to standard error: standard output may be an output.

Exit status: 0 every output took both, 1 one did not, or the configuration is wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			failed := false
			table := tabwriter.NewWriter(cmd.ErrOrStderr(), 0, 0, 2, ' ', 0)
			err = agent.SendTest(cmd.Context(), c, output, func(sent agent.Sent) {
				verdict := "delivered"
				if sent.Err != nil {
					failed, verdict = true, "failed: "+sent.Err.Error()
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", sent.Output, sent.Event, sent.Took.Round(time.Millisecond/10), verdict)
			})
			if flush := table.Flush(); err == nil {
				err = flush
			}
			if err == nil && failed {
				return &exitError{code: 1}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "only the output of this `name`")
	return cmd
}
