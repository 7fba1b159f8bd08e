//go:build !windows

package main

import "github.com/spf13/cobra"

// newService is for Windows; elsewhere systemd and its like run catpaw as it is.
func newService(*flags) *cobra.Command { return nil }
