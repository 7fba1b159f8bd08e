package sfilter

import (
	"fmt"
	"strings"

	"catpaw/inputs/internal/cmdline"
	"catpaw/internal/command"
	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

const (
	shownCommand = 300 // bytes
	shownStderr  = 300
	roomForLines = 1100 // bytes of the description, so that all the rest fits
	shownFilter  = 150
)

// event is what was seen in the output.
func (p *Probe) event(s *scanner, run *command.Result) pipeline.Event {
	event := pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", p.Check), Attrs: []pipeline.Attr{
		{Key: "duration_seconds", Value: run.Elapsed.Seconds()}, {Key: "exit_status", Value: int64(run.Exit)},
		{Key: "lines", Value: s.lines}, {Key: "lines_matched", Value: s.matched}, {Key: "output_bytes", Value: run.StdoutBytes},
	}}
	var b markdown.Builder
	b.Item("command", "%s", printable.Line(cmdline.Target(p.argv), shownCommand))
	if s.matched > 0 {
		event.Status = pipeline.Bad
		b.Item("expected", "no line that matches %s", p.wanted())
		b.List("lines that match", quoted(s.kept), int(s.matched), roomForLines)
		b.Item("lines in all", "%d", s.lines)
	} else {
		b.Item("seen", "none of %d lines matches", s.lines)
	}
	if run.Err == nil && run.Exit != 0 {
		b.Item("ended with", "%s", ending(run))
	}
	if stderr := stderrOf(run); stderr != "" {
		b.Item("stderr", "%s", stderr)
	}
	if s.matched > 0 {
		b.Item("look further", "run it by hand as %s", p.RunAs())
	}
	event.Description = b.String()
	return event
}

// wanted is the filter for people.
func (p *Probe) wanted() string {
	text := "anything"
	if len(p.FilterInclude) > 0 {
		text = "`" + strings.Join(p.FilterInclude, "`, `") + "`"
	}
	if len(p.FilterExclude) > 0 {
		text += ", but for `" + strings.Join(p.FilterExclude, "`, `") + "`"
	}
	return printable.Line(text, shownFilter)
}

// quoted keeps markdown out of the lines.
func quoted(lines []string) []string {
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = "`" + strings.ReplaceAll(line, "`", "'") + "`"
	}
	return all
}

func ending(run *command.Result) string {
	if run.Signal != "" {
		return "signal " + run.Signal
	}
	return fmt.Sprintf("exit status %d", run.Exit)
}

func stderrOf(run *command.Result) string {
	return printable.Line(string(run.Stderr), shownStderr)
}

func because(run *command.Result) string {
	if stderr := stderrOf(run); stderr != "" {
		return ": " + stderr
	}
	return ""
}
