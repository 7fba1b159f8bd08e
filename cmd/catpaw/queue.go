package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"catpaw/agent"
	"catpaw/agent/api"
	"catpaw/internal/printable"
	"catpaw/internal/redact"
)

func newQueue(f *flags) *cobra.Command {
	var asJSON bool
	list := &cobra.Command{
		Use: "queue", Short: "List the outputs' queues, look into them, empty or redrive them",
		Long: `queue lists what each output has yet to deliver. It and its subcommands work while the agent runs,
through its control socket, and while it does not, on the files of the state directory.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withQueues(f, false, func(queues api.Queues) error {
				all, err := queues.List()
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				return printQueues(cmd.OutOrStdout(), all, time.Now())
			})
		},
	}
	same := &cobra.Command{Use: "list", Short: "List the queues, as queue alone does", Hidden: true, Args: noArgs, RunE: list.RunE} // as silences are listed
	for _, cmd := range []*cobra.Command{list, same} {
		cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	}
	list.AddCommand(same, newQueueCat(f), newQueuePurge(f), newQueueRedrive(f))
	list.FParseErrWhitelist.UnknownFlags = true
	return list
}

// withQueues reaches the queues of the configured state directory for fn. Where no agent runs, the configuration must
// be good: it says which outputs own them.
func withQueues(f *flags, write bool, fn func(api.Queues) error) error {
	source, dir, err := f.stateDirectory()
	if err != nil {
		return err
	}
	if client, err := api.Reach(dir); err != nil {
		return err
	} else if client != nil {
		defer client.Close()
		return fn(client)
	}
	c, err := source.Load()
	if err != nil {
		return err
	}
	queues, closeThem, err := agent.OpenQueues(c.StateDir, c.Outputs, write)
	if err != nil {
		return err
	}
	defer closeThem()
	return fn(queues)
}

func printQueues(w io.Writer, all []api.QueueStatus, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "QUEUE\tEVENTS\tBYTES\tOLDEST\tDEAD LETTERS\tDELIVERED\tMERGED\tLOST\tNEXT TRY\tLAST SUCCESS")
	for _, q := range all {
		name := q.Name
		if q.Orphan {
			name += " (no such output)"
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", name, q.Queued, q.Bytes, orDash(q.Age(now)), q.Held,
			q.Counts.Delivered, q.Counts.Merged, q.Counts.Lost, orDash(max(0, q.NextTry.Sub(now))), ago(q.LastSuccess, now))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, q := range all {
		if fault := faultOf(q, now); fault != "" {
			fmt.Fprintf(w, "\n%s %s\n", q.Name, fault)
		}
	}
	return nil
}

// faultOf is what is wrong with an output, "" where nothing is.
func faultOf(q api.QueueStatus, now time.Time) string {
	fault := printable.Line(redact.Logins(q.LastError), 1000)
	switch {
	case q.LastError == "" || !q.LastFailure.After(q.LastSuccess):
		return ""
	case q.Refuses:
		return fmt.Sprintf("has delivered nothing for %s and refused %s for good, %s: %s%s",
			now.Sub(q.FailsSince).Round(time.Second), q.Refused(), ago(q.LastFailure, now), fault, whereDead(q))
	}
	return "failed " + ago(q.LastFailure, now) + ": " + fault
}

// whereDead is where what was refused can be seen, "" where nothing of it is left.
func whereDead(q api.QueueStatus) string {
	if q.Held == 0 {
		return ""
	}
	return fmt.Sprintf("; catpaw queue cat '%s' --dead shows what is kept", q.Name)
}

// ago is how long something is past.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(0, now.Sub(t)).Round(time.Second).String() + " ago"
}

func orDash(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(time.Second).String()
}

func newQueueCat(f *flags) *cobra.Command {
	var dead bool
	cmd := &cobra.Command{
		Use: "cat NAME", Short: "Print the queued events of an output, one JSON object a line, oldest first",
		Args: exactly("the name of an output; catpaw queue lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withQueues(f, true, func(queues api.Queues) error {
				if err := cat(cmd.OutOrStdout(), queues, args[0], dead); err != nil || dead {
					return err
				}
				return mentionDead(cmd.ErrOrStderr(), queues, args[0])
			})
		},
	}
	cmd.Flags().BoolVar(&dead, "dead", false, "print the dead letters: what the sink refused for good, with the reason")
	cmd.Flags().Bool("json", true, "print JSON, as it does anyway")
	return cmd
}

func cat(w io.Writer, queues api.Queues, name string, dead bool) error {
	for after := uint64(0); ; {
		events, err := queues.Events(name, dead, after)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, event := range events {
			line := []byte(event.Event)
			if dead {
				if line, err = json.Marshal(event); err != nil {
					return err
				}
			}
			if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
				return err
			}
			after = event.Seq
		}
	}
}

// mentionDead tells who looks into a queue that there are dead letters beside it.
func mentionDead(w io.Writer, queues api.Queues, name string) error {
	q, err := find(queues, name)
	if err == nil && q.Held > 0 {
		fmt.Fprintf(w, "catpaw: %s beside it; see them with --dead\n", count(q.Held, "dead letter"))
	}
	return err
}

func find(queues api.Queues, name string) (found api.QueueStatus, err error) {
	all, err := queues.List()
	for _, q := range all {
		if q.Name == name {
			found = q
		}
	}
	return found, err
}

// mentionTaken tells who emptied a queue of what stayed there.
func mentionTaken(w io.Writer, queues api.Queues, name string) error {
	q, err := find(queues, name)
	if err == nil && q.Queued > 0 {
		fmt.Fprintf(w, "still there: %s that a sender is at just now, or that came since\n", count(q.Queued, "event"))
	}
	return err
}

func newQueuePurge(f *flags) *cobra.Command {
	var dead, asJSON bool
	cmd := &cobra.Command{
		Use: "purge NAME", Short: "Throw the queued events of an output away", Args: exactly("the name of an output; catpaw queue lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withQueues(f, true, func(queues api.Queues) error {
				n, err := queues.Purge(args[0], dead)
				if err = printCount(cmd, asJSON, n, "purged", err); err != nil || dead || asJSON {
					return err
				}
				return mentionTaken(cmd.OutOrStdout(), queues, args[0])
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: how many events")
	cmd.Flags().BoolVar(&dead, "dead", false, "throw the dead letters away instead")
	return cmd
}

func newQueueRedrive(f *flags) *cobra.Command {
	var to string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "redrive NAME", Short: "Put the dead letters of an output back into its queue", Args: exactly("the name of an output; catpaw queue lists them"),
		Long: `redrive puts what a sink refused for good back into the queue, to be tried again. With --to it moves
the dead letters and the queued events to another output's queue: so the queue of an output that was
renamed or removed is drained.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withQueues(f, true, func(queues api.Queues) error {
				target := to
				if target == "" {
					target = args[0]
				}
				n, err := queues.Redrive(args[0], target)
				if err == nil && n == 0 && target == args[0] && !asJSON {
					return noDeadLetters(cmd.OutOrStdout(), queues, args[0])
				}
				if err = printCount(cmd, asJSON, n, "put into the queue "+target, err); err != nil || asJSON || to == "" || to == args[0] {
					return err
				}
				return mentionTaken(cmd.OutOrStdout(), queues, args[0])
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: how many events")
	cmd.Flags().StringVar(&to, "to", "", "another `output`, whose queue gets all")
	return cmd
}

// noDeadLetters says that there was nothing to redrive. Who meant the events that nobody will ever send is told how.
func noDeadLetters(w io.Writer, queues api.Queues, name string) error {
	q, err := find(queues, name)
	switch {
	case err != nil:
		return err
	case q.Orphan && q.Queued > 0:
		return fmt.Errorf("%s has no dead letters, and no output sends its %s: name one that is to, with --to OUTPUT", name, count(q.Queued, "queued event"))
	}
	_, err = fmt.Fprintf(w, "%s has no dead letters\n", name)
	return err
}

func printCount(cmd *cobra.Command, asJSON bool, n int, what string, err error) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return printJSON(cmd.OutOrStdout(), map[string]int{"events": n})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", count(n, "event"), what)
	return err
}
