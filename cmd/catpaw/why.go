package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"catpaw/agent/api"
)

func newWhy(f *flags) *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "why ALERT-KEY | TARGET | CHECK", Short: "Tell the story of an alert: what was decided, and why", Args: exactly("an alert key, a target or a check"),
		Long: `why tells what the running agent knows of an alert: its results, what was decided on each and why, what
comes next and when; also why nothing was told. Ask by alert key (or its first six or more letters), by the
value of any label, such as a target, by title, by a check's identity or its place in the configuration, such
as http.toml:12, or http.toml for all of the file, by the name of an output; or by a part of one of these, in
which * stands for anything.`,
	}, func(c *api.Client, args []string) (api.Why, error) { return c.Why(args[0]) },
		func(w io.Writer, why api.Why) error { return printWhy(w, why, time.Now()) })
}

func printWhy(w io.Writer, why api.Why, now time.Time) error {
	for _, s := range why.Stories {
		printStory(w, s, now)
	}
	if why.More > 0 {
		fmt.Fprintf(w, "and %s more: ask for one by its key\n\n", count(why.More, "alert"))
	}
	if len(why.Stories) == 0 {
		fmt.Fprintf(w, "%s\n\n", noAlert(why))
	}
	for _, c := range why.Checks {
		fmt.Fprintf(w, "check %s at %s, every %s\n", named(c), c.Source, time.Duration(c.Interval*float64(time.Second)))
		switch {
		case c.Runs == 0:
			fmt.Fprintln(w, "  has not run yet")
		case c.Error != "":
			fmt.Fprintf(w, "  its last run, %s, could not do its work: %s\n", ago(c.Began, now), oneLine(c.Error))
		default:
			fmt.Fprintf(w, "  its last run, %s, took %s: %s, %d of them bad\n", ago(c.Began, now), tookOf(c, now), count(c.Results, "result"), c.Bad)
		}
		if !c.Next.IsZero() {
			fmt.Fprintf(w, "  runs again in %s\n", max(0, c.Next.Sub(now)).Round(time.Second))
		}
		fmt.Fprintln(w)
	}
	for _, q := range why.Outputs {
		fmt.Fprintf(w, "output %s: %s waiting", q.Name, count(q.Queued, "event"))
		if fault := faultOf(q, now); fault != "" {
			fmt.Fprintf(w, "; it %s", fault)
		}
		if !q.NextTry.IsZero() {
			fmt.Fprintf(w, "; next try in %s", max(0, q.NextTry.Sub(now)).Round(time.Second))
		}
		fmt.Fprintln(w)
	}
	return nil
}

// noAlert says that there is none of what was asked for. An output raises none, and may only be known by its name.
func noAlert(why api.Why) string {
	asked := oneLine(why.Asked)
	if len(why.Checks) == 0 && slices.ContainsFunc(why.Outputs, func(q api.QueueStatus) bool { return q.Name == why.Asked }) {
		return asked + " is an output: it raises no alerts, but tells of them."
	}
	return "No alert of " + asked + " is open, and none was lately."
}

func printStory(w io.Writer, s api.Story, now time.Time) {
	phase := s.Phase
	if phase == "none" { // it is an alert no more
		phase = "over"
	}
	fmt.Fprintf(w, "%s  (%s)\n  %s\n", oneLine(s.Name()), s.Key, phase)
	for line := range strings.SplitSeq(strings.TrimSpace(strings.TrimPrefix(s.Description, "[MD]")), "\n") {
		if strings.TrimSpace(line) != "" {
			fmt.Fprintf(w, "  | %s\n", longLine(line))
		}
	}
	if s.Before != "" {
		fmt.Fprintf(w, "  %s\n", s.Before)
	}
	for _, line := range s.Lines {
		at := line.From.Local().Format(time.DateTime)
		if line.Results > 1 {
			at += " to " + line.To.Local().Format(time.TimeOnly)
		}
		at += line.To.Local().Format(" MST")
		fmt.Fprintf(w, "  %s  %s%s  %s\n", at, line.Status, timesOf(line.Results), longLine(line.Text))
	}
	for _, refusal := range s.Refused {
		fmt.Fprintf(w, "  %s\n", longLine(s.Refuses(refusal, now)))
	}
	fmt.Fprintf(w, "  now: %s\n\n", longLine(s.Standing))
}

func timesOf(results int) string {
	if results == 1 {
		return ""
	}
	return fmt.Sprintf(" x %d", results)
}
