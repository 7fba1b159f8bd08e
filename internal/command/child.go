package command

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// child is one running command.
type child struct {
	cmd            *exec.Cmd
	stdout, stderr *pipe
	stderrHead     head

	exited  chan struct{} // closed when the direct child has ended, reaped or not
	reap    chan struct{} // closed when its process id is no longer needed
	reaped  chan struct{} // closed when cmd.ProcessState is there
	tooLong chan struct{} // has room for one: a pipe went beyond its limit
	drained chan struct{} // closed when both pipes have been read to their end

	guarded sync.WaitGroup
	err     error // set by guard, read after it
}

func start(spec Spec) (*child, error) {
	cmd := exec.Command(spec.Argv[0], spec.Argv[1:]...)
	cmd.Env, cmd.Dir = spec.Env, spec.Dir
	own(cmd, spec.User)
	tooLong := make(chan struct{}, 1)
	stdout, stdoutEnd, err := newPipe(spec.MaxOutput, tooLong)
	if err != nil {
		return nil, err
	}
	stderr, stderrEnd, err := newPipe(spec.MaxOutput, tooLong)
	if err != nil {
		stdout.file.Close()
		stdoutEnd.Close()
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = stdoutEnd, stderrEnd
	err = cmd.Start()
	stdoutEnd.Close()
	stderrEnd.Close()
	if err != nil {
		stdout.file.Close()
		stderr.file.Close()
		return nil, plain(err, spec.Dir)
	}
	c := &child{cmd: cmd, stdout: stdout, stderr: stderr, tooLong: tooLong,
		exited: make(chan struct{}), reap: make(chan struct{}), reaped: make(chan struct{}), drained: make(chan struct{})}
	go c.wait() // ends with the process
	return c, nil
}

// plain drops "fork/exec PATH: " and the like, which say nothing to a user who is told the command, and
// names the directory where that is what is missing.
func plain(err error, dir string) error {
	if dir != "" {
		if _, missing := os.Stat(dir); missing != nil {
			return missing
		}
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// wait notes the child's end, and reaps it once its id is no longer needed: while it is a zombie, its
// process group id cannot be given to somebody else.
func (c *child) wait() {
	c.awaitExit()
	close(c.exited)
	<-c.reap
	c.cmd.Wait() // the state it leaves tells all that its error does
	close(c.reaped)
}

// read hands stdout to the consumer and reads both pipes to their end. A consumer that panics takes
// the command with it.
func (c *child) read(consume func(io.Reader), cancel context.CancelFunc) {
	var stderr sync.WaitGroup
	stderr.Go(func() { io.Copy(&c.stderrHead, c.stderr) })
	defer func() {
		if value := recover(); value != nil {
			cancel()
			c.finish(&stderr)
			panic(value)
		}
	}()
	if consume != nil {
		consume(c.stdout)
	}
	c.finish(&stderr)
}

func (c *child) finish(stderr *sync.WaitGroup) {
	io.Copy(io.Discard, c.stdout)
	stderr.Wait()
	close(c.drained)
	c.guarded.Wait()
	c.stdout.file.Close()
	c.stderr.file.Close()
}

// guard ends the command and its group in time, and returns when the child is reaped or past help.
func (c *child) guard(ctx context.Context) {
	select {
	case <-c.exited:
	case <-ctx.Done():
		c.err = context.Cause(ctx)
		c.signal(terminate)
		if !within(termGrace, c.exited) {
			c.signal(kill)
		}
	case <-c.tooLong:
		c.err = ErrTooLong
		c.signal(kill)
	}
	if !within(killGrace, c.exited) {
		c.err = ErrUndead
	}
	c.stdout.linger()
	c.stderr.linger()
	within(lingerGrace, c.drained)
	c.signal(kill)
	close(c.reap)
	if c.err != ErrUndead {
		<-c.reaped
	}
	c.endReading(ctx)
}

// endReading makes sure that the output ends although somebody outside the group still holds it: reads
// that wait end by the linger deadline, and at the end of ctx all do. Then something may be missing,
// which must not pass for a run that went well.
func (c *child) endReading(ctx context.Context) {
	select {
	case <-c.drained:
	case <-ctx.Done():
		if !within(lingerGrace, c.drained) {
			c.stdout.cut()
			c.stderr.cut()
			if c.err == nil {
				c.err = context.Cause(ctx)
			}
		}
	}
}

// within waits for done, at most d, and reports whether it came.
func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func (c *child) result(elapsed time.Duration) Result {
	result := Result{
		Err: c.err, Exit: -1, Elapsed: elapsed, Stderr: c.stderrHead.kept,
		StdoutBytes: c.stdout.count, StderrBytes: c.stderr.count,
	}
	if c.err == nil && (c.stdout.over || c.stderr.over) {
		result.Err = ErrTooLong // it exited just before the guard would have killed it
	}
	select {
	case <-c.reaped:
		result.Exit, result.Signal = c.cmd.ProcessState.ExitCode(), signalName(c.cmd.ProcessState)
	default:
	}
	return result
}
