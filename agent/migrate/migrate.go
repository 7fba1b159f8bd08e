// Package migrate translates a configuration of the original catpaw, whose later dialect (0.24) has notify.*,
// p.scriptfilter, p.filecheck and a table for each thing that a probe judges, into one of this catpaw. What is
// written for 0.8 stays as it is.
//
// tables.go says what becomes of every option; this file walks through the files.
package migrate

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"catpaw/internal/config"
	"catpaw/internal/newdir"
)

// Result is a translated configuration.
type Result struct {
	Files map[string][]byte // by path below the configuration directory
	Notes []string          // what has no translation, or not quite the same: file:line: text
}

// Read reads and translates a configuration directory. The error is a fault of the files themselves.
func Read(dir string) (*Result, error) { return read(dir, os.Stat) }

func read(dir string, stat func(string) (fs.FileInfo, error)) (*Result, error) {
	s, err := readSource(dir)
	if err != nil {
		return nil, err
	}
	t := &translator{result: Result{Files: map[string][]byte{}}, source: s, later: s.isLater(), stat: stat, taken: map[string]string{}}
	t.mains()
	for _, file := range s.probes {
		t.probeFile(file)
	}
	t.tierRules()
	t.others(dir)
	return &t.result, nil
}

// Write writes the files into a directory that is empty or not yet there, for the owner and the group only.
func (r *Result) Write(dir string) error {
	if err := newdir.Check(dir); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, r.Files[name], 0o640); err != nil {
			return err
		}
	}
	return nil
}

type translator struct {
	result Result
	source *source
	later  bool                              // it is of 0.24, not of 0.8 or ours
	stat   func(string) (fs.FileInfo, error) // of what the checks look at
	taken  map[string]string                 // labels of a check → its place in the old configuration
	tiered bool                              // some check became several, one for each severity
}

func (t *translator) note(at *config.Node, format string, args ...any) {
	note := fmt.Sprintf("%s: %s", at.Place(), fmt.Sprintf(format, args...))
	if !slices.Contains(t.result.Notes, note) { // what several instances have from one partial is told once
		t.result.Notes = append(t.result.Notes, note)
	}
}

// mains translates the files beside the p.* directories.
func (t *translator) mains() {
	if t.source.isOurs() {
		for _, n := range t.source.mains {
			t.write(filepath.Base(n.File), n.File, t.main(n))
		}
		return
	}
	n := t.source.oneMain()
	if n == nil {
		return
	}
	if t.later {
		t.labels(n)
	}
	var from []string
	for _, file := range t.source.mains {
		from = append(from, file.File)
	}
	t.write("config.toml", strings.Join(from, ", "), t.main(n))
}

// probeFile translates one file of checks, which may become several.
func (t *translator) probeFile(n *config.Node) {
	if t.later {
		t.labels(n)
	}
	name := filepath.Base(n.File)
	plugin := strings.TrimPrefix(filepath.Base(filepath.Dir(n.File)), "p.")
	p, known := probes[plugin]
	if !known {
		t.note(n, "there is no probe %q here; write an exec check for it. The file is left out", plugin)
		return
	}
	for _, part := range p.parts {
		if table := t.probe(n, p, part); table != nil {
			to := filepath.Join("p."+part, name)
			if t.result.Files[filepath.ToSlash(to)] != nil { // p.sfilter and p.scriptfilter are one here
				to = filepath.Join("p."+part, plugin+"-"+name)
			}
			t.write(to, n.File, table)
		}
	}
}

// write makes a file; from is what it was translated from.
func (t *translator) write(name, from string, table map[string]any) {
	t.encode(name, fmt.Sprintf("# Made by catpaw migrate from %s. Comments stayed there.", filepath.ToSlash(from)), table)
}

func (t *translator) encode(name, comment string, table map[string]any) {
	text := bytes.NewBufferString(comment + "\n")
	encoder := toml.NewEncoder(text)
	encoder.Indent = ""
	if err := encoder.Encode(table); err != nil {
		panic(err) // it holds what a TOML file held
	}
	t.result.Files[filepath.ToSlash(name)] = text.Bytes()
}

// plain is a node as the encoder takes it.
func plain(n *config.Node) any {
	switch v := n.Value.(type) {
	case config.Table:
		table := make(map[string]any, len(v))
		for key, child := range v {
			table[key] = plain(child)
		}
		return table
	case config.List:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = plain(child)
		}
		return list
	}
	return n.Value
}

// put sets an option that may lie in tables within the table.
func put(table map[string]any, path string, value any) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		table[first] = value
		return
	}
	inner, _ := table[first].(map[string]any)
	if inner == nil {
		inner = map[string]any{}
		table[first] = inner
	}
	put(inner, rest, value)
}
