package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"catpaw/agent"
)

func newRun(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run until stopped (the same as catpaw alone)", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return run(f) },
	}
}

func run(f *flags) error {
	ctx, reload := signals() // first of all, so that an early SIGHUP does not end the process
	// net/http tells of servers that talk out of turn through the standard logger, with what they said.
	log.SetOutput(io.Discard)
	source, err := f.source()
	if err != nil {
		return err
	}
	return agent.Run(ctx, source, reload, nil)
}

// signals translates what the system sends: the context ends with the first SIGINT, SIGTERM or SIGQUIT,
// the process with the second; a SIGHUP is a value on reload.
func signals() (ctx context.Context, reload <-chan struct{}) {
	// A closed pipe is an error of the write, not the end of the process. Notify, not Ignore: what is
	// ignored would be ignored by every script that a check runs, too.
	if len(faults) > 0 {
		signal.Notify(make(chan os.Signal, 1), faults...)
	}

	ctx, cancel := context.WithCancel(context.Background())
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	go onStop(stop, cancel, func() {
		fmt.Fprintln(os.Stderr, "catpaw: stopped at once by a second signal")
		os.Exit(1)
	})

	hangup, again := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		for range hangup {
			again <- struct{}{}
		}
	}()
	return ctx, again
}

// onStop calls first at the first signal and again at the second. What comes right after the first is the same signal: it
// went to all of a process group, of which somebody passed it on, as make does.
func onStop(stop <-chan os.Signal, first, again func()) {
	const same = 300 * time.Millisecond
	<-stop
	first()
	for at := time.Now(); time.Since(at) < same; {
		<-stop
	}
	again()
}
