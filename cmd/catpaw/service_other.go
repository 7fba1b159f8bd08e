//go:build !windows

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// newService is for Windows; elsewhere systemd and its like run catpaw as it is, and who asks all the same is told.
func newService(*flags) *cobra.Command {
	return &cobra.Command{
		Use: "service", Short: "Run as a service of Windows", Hidden: true, DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("service is there on Windows only: elsewhere systemd, launchd and their like run catpaw as it is")
		},
	}
}
