// Package migrate translates a configuration of the original catpaw, whose later dialect (0.24) has notify.*,
// p.scriptfilter, p.filecheck and a table for each thing that a probe judges, into one of this catpaw. What is
// written for 0.8 stays as it is.
//
// tables.go says what becomes of every option; this file walks through the files.
package migrate

import (
	"bytes"
	"errors"
	"fmt"
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
func Read(dir string) (*Result, error) {
	if dir == "" {
		return nil, errors.New("the name of the directory to read is empty: say which configuration to translate")
	}
	t := &translator{result: Result{Files: map[string][]byte{}}}
	names, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err != nil {
		return nil, err
	}
	probes, err := filepath.Glob(filepath.Join(dir, "p.*", "*.toml"))
	if err != nil {
		return nil, err
	}
	if len(names)+len(probes) == 0 {
		return nil, fmt.Errorf("%s: there is no configuration: no *.toml, no p.*/*.toml", dir)
	}
	for _, path := range append(names, probes...) {
		node, err := config.ReadFile(path)
		if err != nil {
			return nil, err
		}
		t.file(dir, path, node)
	}
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
}

func (t *translator) note(at *config.Node, format string, args ...any) {
	t.result.Notes = append(t.result.Notes, fmt.Sprintf("%s: %s", at.Place(), fmt.Sprintf(format, args...)))
}

// file translates one file, which may become several.
func (t *translator) file(dir, path string, node *config.Node) {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		name = filepath.Base(path)
	}
	renameVariables(t, node)
	if filepath.Dir(name) == "." {
		t.write(name, path, t.main(node))
		return
	}
	plugin := strings.TrimPrefix(filepath.Dir(name), "p.")
	p, known := probes[plugin]
	if !known {
		t.note(node, "there is no probe %q here; write an exec check for it. The file is left out", plugin)
		return
	}
	for _, part := range p.parts {
		if table := t.probe(node, p, part); table != nil {
			to := filepath.Join("p."+part, filepath.Base(name))
			if t.result.Files[filepath.ToSlash(to)] != nil { // p.sfilter and p.scriptfilter are one here
				to = filepath.Join("p."+part, plugin+"-"+filepath.Base(name))
			}
			t.write(to, path, table)
		}
	}
}

func (t *translator) write(name, from string, table map[string]any) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Made by catpaw migrate from %s. Comments stayed there.\n", filepath.ToSlash(from))
	encoder := toml.NewEncoder(&text)
	encoder.Indent = ""
	if err := encoder.Encode(table); err != nil {
		panic(err) // it holds what a TOML file held
	}
	t.result.Files[filepath.ToSlash(name)] = text.Bytes()
}

// renames are the variables that have another name here.
var renames = strings.NewReplacer("${HOSTNAME}", "$hostname", "${SHORT_HOSTNAME}", "$hostname", "${IP}", "$ip")

func renameVariables(t *translator, node *config.Node) {
	switch v := node.Value.(type) {
	case string:
		if strings.Contains(v, "${SHORT_HOSTNAME}") {
			t.note(node, "${SHORT_HOSTNAME} became $hostname, which may have a domain behind it")
		}
		node.Value = renames.Replace(v)
	case config.List:
		for _, child := range v {
			renameVariables(t, child)
		}
	case config.Table:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			renameVariables(t, v[key])
		}
	}
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
