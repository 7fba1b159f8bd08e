package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"catpaw/agent/migrate"
	"catpaw/internal/printable"
)

func newMigrate(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "migrate OLD NEW", Short: "Translate a configuration of the original catpaw 0.24",
		Long: `migrate reads the configuration directory OLD, written for the original catpaw up to 0.24 (notify.*,
p.scriptfilter, p.filecheck, tables of thresholds), and writes what it means here into the directory NEW. It
lists what has no translation, or not quite the same one, and judges what it wrote. OLD stays as it is. Run it
on the machine that is watched: it looks which targets of p.filecheck are directories.

Exit status: 0 NEW is good, 1 it is not, or nothing was written.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("say what to read and where to write: catpaw migrate OLD NEW")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to := args[0], args[1]
			result, err := migrate.Read(from)
			if err != nil {
				return err
			}
			if err := result.Write(to); err != nil {
				return err
			}
			for _, note := range result.Notes {
				fmt.Fprintln(cmd.ErrOrStderr(), "catpaw: "+printable.Line(note, 1000))
			}
			f.configs = to
			c, err := f.load()
			if err != nil {
				return fmt.Errorf("%s is written, but needs mending by hand:\n%w", to, err)
			}
			for _, warning := range c.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "catpaw: warning: "+warning)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is written: %s, %s; it is good. See what it does with catpaw once -configs %s\n",
				to, count(len(result.Files), "file"), count(len(result.Notes), "note"), to)
			return err
		},
	}
}
