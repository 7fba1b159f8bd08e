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
