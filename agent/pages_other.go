//go:build !linux

package agent

// forgetPages is for Linux.
func forgetPages() {}
