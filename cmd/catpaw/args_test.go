package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// parents are the commands that have subcommands, as they are written.
func parents(cmd *cobra.Command) (all [][]string) {
	if cmd.HasSubCommands() {
		all = append(all, strings.Fields(cmd.CommandPath())[1:])
	}
	for _, sub := range cmd.Commands() {
		all = append(all, parents(sub)...)
	}
	return all
}

// TestAWordThatIsNoSubcommandIsAFault wherever there are subcommands, and for help on it.
func TestAWordThatIsNoSubcommandIsAFault(t *testing.T) {
	t.Parallel()
	all := parents(newRoot())
	if len(all) < 4 { // catpaw, completion, queue, silence; on Windows service
		t.Fatalf("only %q have subcommands", all)
	}
	for _, parent := range all {
		for _, args := range [][]string{append(parent, "nonsense"), append(append([]string{"help"}, parent...), "nonsense")} {
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				root := newRoot()
				var out strings.Builder
				root.SetArgs(args)
				root.SetOut(&out)
				root.SetErr(io.Discard)
				err := root.Execute()
				if want := `unknown command "` + strings.Join(append(parent, "nonsense"), " ") + `"`; err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
					t.Errorf("%v, want %s\n%s", err, want, out.String())
				}
			})
		}
	}
}

// TestAWordTooManyGetsAWayOut to what was meant by it.
func TestAWordTooManyGetsAWayOut(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"send hook":         `unknown command "send hook"; name an output with --output hook; see catpaw send --help`,
		"queue hook":        `unknown command "queue hook"; catpaw queue cat hook prints what an output`,
		"queue a$b":         `catpaw queue cat 'a$b' prints`,
		"queue purg hook":   `unknown command "queue purg"; did you mean "purge"?; see catpaw queue --help`,
		"queue list hook":   `unknown command "queue list hook"; see catpaw queue list --help`,
		"check a/b.toml":    `unknown command "check a/b.toml"; name the directory of the configuration with -configs DIR; see`,
		"once http":         "probes with -plugins a:b; see",
		"run conf.d":        "-configs DIR; see",
		"status db":         "catpaw why db tells of an alert, a target or a check; see",
		"silence list x":    `unknown command "silence list x"; see catpaw silence list --help`,
		"help send webhook": "--output webhook; see",
	} {
		root := newRoot()
		root.SetArgs(strings.Fields(args))
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("catpaw %s: %v, want %s", args, err, want)
		}
	}
}

// TestTheWaysOutAreOfCommands that there are.
func TestTheWaysOutAreOfCommands(t *testing.T) {
	t.Parallel()
	for path := range instead {
		if cmd, _, err := newRoot().Find(strings.Fields(path)[1:]); err != nil || cmd.CommandPath() != path {
			t.Errorf("there is no %s", path)
		}
	}
}
