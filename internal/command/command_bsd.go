//go:build unix && !linux

package command

import "syscall"

// dieWithParent does nothing here: only a killed agent's children live on, until they end themselves.
func dieWithParent(*syscall.SysProcAttr) {}

// awaitExit reaps the child at once: these systems cannot look first. Between that and the last signal
// to the group its id could in theory be given to another; ids are not reused that soon.
func (c *child) awaitExit() { c.cmd.Wait() }
