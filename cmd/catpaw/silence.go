package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"catpaw/agent"
	"catpaw/agent/api"
	"catpaw/internal/config"
)

func newSilence(f *flags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "silence", Short: "Keep alerts from being told for a while",
		Long: `A silence keeps what it matches from being told. Nothing opens; but the end of anything that was told
before is told, and what still fires when the silence ends is told then. Silences outlive the agent.`,
	}
	cmd.AddCommand(newSilenceAdd(f), newSilenceList(f), newSilenceEnd(f))
	return group(cmd)
}

// silenceFlags are those of silence add.
type silenceFlags struct {
	match        []string
	for_, reason string
	while        bool
	asJSON       bool
}

func newSilenceAdd(f *flags) *cobra.Command {
	var s silenceFlags
	cmd := &cobra.Command{
		Use: "add --match LABEL=GLOB ... (--for DURATION | --while -- COMMAND ...)", Short: "Begin a silence",
		Example: `  catpaw silence add --match check='disk*' --for 2h --reason 'moving the data'
  catpaw silence add --match from_plugin=http --match env=prod --while -- ./deploy.sh --all`,
		Long: `add begins a silence of the alerts whose labels all match. It ends after --for, or with --while when the
COMMAND does, which add runs; the exit status is then the command's. Several globs of one label, of which
one must match, are written one --match each. Blanks around label and glob do not count; where they are part
of one, or = of a label, write it in double quotes: --match '"a=b" = " c "'.

With --json the silence is a line of JSON on standard output; with --while it comes before what the command
prints, and standard error is the command's, but for faults.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := s.silence(args)
			if err != nil {
				return err
			}
			if s.while {
				return silenceWhile(f, cmd, n, args, s.asJSON)
			}
			return withClient(f, func(c *api.Client) error {
				added, err := c.AddSilence(n)
				switch {
				case err != nil:
					return err
				case s.asJSON:
					return printJSON(cmd.OutOrStdout(), added)
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), begun(added))
				return err
			})
		},
	}
	cmd.Flags().StringArrayVar(&s.match, "match", nil, "`LABEL=GLOB` that must match; several may be given")
	cmd.Flags().StringVar(&s.for_, "for", "", "how long: a `duration` such as 30m, 2h, 1d")
	cmd.Flags().StringVar(&s.reason, "reason", "", "why, for those who look")
	cmd.Flags().BoolVar(&s.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&s.while, "while", false, "as long as the command behind -- runs")
	return cmd
}

// begun tells of a silence, and of which alerts it is, so that a misspelt label shows.
func begun(a api.Added) string {
	text := fmt.Sprintf("silence %d: %s, ", a.ID, oneLine(a.Matching()))
	if a.Process.PID != 0 {
		text += "while the command runs"
	} else {
		text += "until " + a.Until.Local().Format(stamp)
	}
	if len(a.Alerts) == 0 {
		text += "; no alert that is open now matches"
	} else {
		text += "; of those open now it matches: " + oneLine(strings.Join(a.Alerts, ", "))
	}
	if a.More > 0 {
		text += fmt.Sprintf(" and %d more", a.More)
	}
	if a.Hint != "" {
		text += "; " + longLine(a.Hint)
	}
	return text + unkept(a.Unkept)
}

// unkept adds to what was done that it may be forgotten.
func unkept(u api.Unkept) string {
	if u.NotOnDisk == "" {
		return ""
	}
	return "; this is in force, but not on disk yet, so that a crash now would forget it: " + longLine(u.NotOnDisk)
}

// silence makes of the flags what the agent is asked for.
func (s *silenceFlags) silence(args []string) (n api.NewSilence, err error) {
	n = api.NewSilence{Reason: s.reason, By: userName()}
	if n.Match, err = matching(s.match); err != nil {
		return n, err
	}
	switch {
	case len(n.Match) == 0:
		return n, errors.New("say which alerts: --match LABEL=GLOB")
	case s.while && s.for_ != "":
		return n, errors.New("--for and --while: choose one")
	case s.while && len(args) == 0:
		return n, errors.New("--while: write the command behind --, as in --while -- ./backup.sh")
	case !s.while && len(args) > 0:
		return n, fmt.Errorf("%q: what is this for? A command needs --while before it", args[0])
	case s.while:
		return n, nil
	case s.for_ == "":
		return n, errors.New("say for how long: --for 2h, or --while -- COMMAND")
	}
	d, err := config.ParseDuration(s.for_)
	if err != nil || d <= 0 {
		return n, fmt.Errorf("--for: %q is not a duration such as 30m, 2h or 1d", s.for_)
	}
	n.For = d.Std().Seconds()
	return n, nil
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// silenceWhile runs a command under a silence that ends with it: by our word, or, should we be killed, since the
// agent sees that its process has ended. The command matters more than the silence: it runs also where no agent
// answers.
func silenceWhile(f *flags, cmd *cobra.Command, n api.NewSilence, args []string, asJSON bool) error {
	child := exec.Command(args[0], args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	name := filepath.Base(args[0])
	var one api.Silence
	err := withClient(f, func(c *api.Client) (err error) {
		if n.Process, err = agent.ThisProcess(os.Getpid(), name); err != nil {
			return err
		}
		added, err := c.AddSilence(n)
		one = added.Silence
		switch {
		case err != nil:
		case asJSON:
			_ = printJSON(cmd.OutOrStdout(), added) // who does not read it wants the command all the same
		default:
			fmt.Fprintln(cmd.ErrOrStderr(), "catpaw: "+begun(added))
		}
		return err
	})
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "catpaw: nothing is silenced: %v\n", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, append(passedOn, os.Interrupt)...)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return errors.Join(err, endSilence(f, one))
	}
	if one.ID != 0 {
		if p, err := agent.ThisProcess(child.Process.Pid, name); err == nil { // else it has ended already
			_ = withClient(f, func(c *api.Client) error { _, err := c.Follow(one.ID, p); return err })
		}
	}
	go func() {
		for s := range signals {
			if s != os.Interrupt { // which a terminal sends to both of us
				_ = child.Process.Signal(s)
			}
		}
	}()
	err = child.Wait()
	if ended := endSilence(f, one); ended != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "catpaw: the silence ends by itself: %v\n", ended)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &exitError{code: exitCode(exit)}
	}
	return err
}

func endSilence(f *flags, one api.Silence) error {
	if one.ID == 0 {
		return nil
	}
	return withClient(f, func(c *api.Client) error { _, err := c.EndSilence(one.ID); return err })
}

func newSilenceList(f *flags) *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "list", Short: "List the silences in force, and the configured windows that are open", Args: noArgs,
	}, func(c *api.Client, _ []string) ([]api.Silence, error) { return c.Silences() },
		func(w io.Writer, all []api.Silence) error { return printSilences(w, all, time.Now()) })
}

func printSilences(w io.Writer, all []api.Silence, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "nothing is silenced")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tMATCH\tENDS\tBY\tREASON")
	for _, s := range all {
		id, ends := "-", s.Until.Local().Format(stamp)
		if s.ID != 0 {
			id = strconv.Itoa(s.ID)
		}
		if s.Process.PID != 0 {
			ends = fmt.Sprintf("with process %d (%s)", s.Process.PID, oneLine(s.Process.Command))
		} else {
			ends += fmt.Sprintf(", in %s", max(0, s.Until.Sub(now)).Round(time.Second))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", id, oneLine(s.Matching()), ends, oneLine(s.By), oneLine(s.Reason))
	}
	return table.Flush()
}

func newSilenceEnd(f *flags) *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "end ID", Short: "End a silence: what still fires is told", Args: exactly("the number of a silence; catpaw silence list shows them"),
	}, func(c *api.Client, args []string) (api.Changed, error) {
		id, err := strconv.Atoi(args[0])
		if err != nil {
			return api.Changed{}, fmt.Errorf("%q is no number of a silence: catpaw silence list shows them", args[0])
		}
		return c.EndSilence(id)
	}, func(w io.Writer, one api.Changed) error {
		_, err := fmt.Fprintf(w, "silence %d is over: %s%s\n", one.ID, oneLine(one.Matching()), unkept(one.Unkept))
		return err
	})
}

func newAck(f *flags) *cobra.Command {
	var reason string
	var undo bool
	cmd := &cobra.Command{
		Use: "ack ALERT", Short: "Acknowledge an alert: no repeats for this episode", Args: exactly("an alert: its key, the beginning of it, or its title or target"),
		Long: `ack notes that somebody knows of a firing alert. It is not told again until it is over, unless it gets
worse; its end is told. ALERT is its key, the beginning of the key, or any other name that no other open
alert has, such as its target. --undo takes the acknowledgement back.`,
	}
	cmd.Flags().BoolVar(&undo, "undo", false, "take it back: repeats are told again")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who look")
	return ask(f, cmd, func(c *api.Client, args []string) (api.Acked, error) {
		if undo {
			return c.Unack(args[0])
		}
		return c.Ack(args[0], userName(), reason)
	}, func(w io.Writer, a api.Acked) error {
		_, err := fmt.Fprintf(w, "%s: %s%s\n", oneLine(a.Name()), longLine(a.Standing), unkept(a.Unkept))
		return err
	})
}
