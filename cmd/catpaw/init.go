package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	samples "catpaw/conf.d"
	"catpaw/internal/newdir"
)

func newInit() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Write a commented configuration to start from", Args: cobra.MaximumNArgs(1),
		Long: `init writes the shipped configuration, in which comments explain every option, into DIR (conf.d). It asks
nothing, and refuses a directory in which there is something already.

Exit status: 0 written, 1 not.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := localConfigs
			if len(args) > 0 {
				dir = args[0]
			}
			if err := writeSamples(dir); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is written; edit it, judge it with catpaw check -configs %s, and start with catpaw -configs %s\n", dir, dir, dir)
			return err
		},
	}
}

// writeSamples writes for the owner and the group only: secrets may be put there.
func writeSamples(dir string) error {
	if err := newdir.Check(dir); err != nil {
		return err
	}
	return fs.WalkDir(samples.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if entry.IsDir() {
			return os.MkdirAll(path, 0o750)
		}
		text, err := fs.ReadFile(samples.Files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(path, text, 0o640)
	})
}
