package main

import "os/exec"

func exitCode(exit *exec.ExitError) int { return max(1, exit.ExitCode()) }
