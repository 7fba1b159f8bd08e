package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"catpaw/internal/config"
)

// stamp is how points in time are printed: with the zone, for who reads may be elsewhere.
const stamp = "2006-01-02 15:04:05 MST"

// printJSON prints JSON as it is meant to be read: <, > and & stay as they are.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// exactly asks for one argument, and says what it is where it is missing.
func exactly(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("say which: %s needs %s", cmd.CommandPath(), what)
		case len(args) > 1:
			return fmt.Errorf("%q is one too many: %s needs %s. One with blanks in it stands in quotes", args[1], cmd.CommandPath(), what)
		}
		return nil
	}
}

// group is for a command that only has subcommands: another word is a fault, none asks for help.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args, cmd.FParseErrWhitelist.UnknownFlags = noArgs, true // the flags of a misspelt subcommand are not its fault
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// groupCobras has the commands that cobra adds itself refuse a word they do not know, as ours do.
func groupCobras(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			group(cmd)
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil {
					return err
				}
				return noArgs(about, rest)
			}
		}
	}
}

// instead is the way to what somebody may mean by a word, %s, that a command does not know.
var instead = map[string]string{
	"catpaw check":  "name the directory of the configuration with -configs DIR",
	"catpaw once":   "name the directory of the configuration with -configs DIR, probes with -plugins a:b",
	"catpaw queue":  "catpaw queue cat %s prints what an output of that name has yet to deliver",
	"catpaw run":    "name the directory of the configuration with -configs DIR",
	"catpaw send":   "name an output with --output %s",
	"catpaw status": "catpaw why %s tells of an alert, a target or a check",
}

// noArgs is for commands that take no words but the names of their subcommands.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	hint := config.DidYouMean(args[0], names)
	if way := instead[cmd.CommandPath()]; hint == "" && way != "" {
		hint = "; " + strings.ReplaceAll(way, "%s", shellWord(args[0]))
	}
	return fmt.Errorf("unknown command %q%s; see %s --help", strings.Join(append(strings.Fields(cmd.CommandPath())[1:], args[0]), " "), hint, cmd.CommandPath())
}

// shellWord is a word as it can be typed: in quotes where there is more in it than in most names.
func shellWord(word string) string {
	plain := func(r rune) bool { return unicode.In(r, unicode.L, unicode.Nd) || strings.ContainsRune("-_./:@", r) }
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(oneLine(word), "'", `'\''`) + "'"
}

// flagError names the flag that a misspelt one is near to.
func flagError(cmd *cobra.Command, err error) error {
	name, misspelt := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !misspelt {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return errors.New("unknown flag --" + name + config.DidYouMean(name, names) + "; see " + cmd.CommandPath() + " --help")
}
