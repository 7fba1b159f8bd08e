// Package config turns TOML files into option structs, strictly and kindly: every fault is collected
// and told with its file and line, and a misspelt key is answered with the nearest right one.
//
// BurntSushi/toml parses; this package remembers where each key stood (the library does not say) and
// maps the values onto structs by their `toml` tags.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"catpaw/internal/pattern"
)

// Node is one value of a file, with its place. Value holds one of: string, int64, float64, bool,
// time.Time, List, Table.
type Node struct {
	File  string
	Line  int
	Value any

	revealed bool // Value is a secret of which the file was read, or cannot be: from then on it stays as it is
}

// Place is the file and the line, where there is one.
func (n *Node) Place() string {
	if n.Line == 0 {
		return n.File
	}
	return n.File + ":" + strconv.Itoa(n.Line)
}

// Table is a TOML table.
type Table = map[string]*Node

// List is a TOML array, or an array of tables.
type List = []*Node

// ReadFile parses one file. The error is an Errors.
func ReadFile(path string) (*Node, error) {
	data, err := readRegular(path, maxFile)
	if err != nil {
		return nil, Errors{{File: path, Text: fmt.Sprintf("cannot read: %v", err)}}
	}
	return Parse(path, string(data))
}

// Parse parses TOML text; file is the name used in errors.
func Parse(file, text string) (*Node, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if line := tooDeep(text); line > 0 {
		return nil, Errors{{File: file, Line: line, Text: fmt.Sprintf("this nests more than %d deep", maxDepth)}}
	}
	raw := map[string]any{}
	if _, err := toml.Decode(text, &raw); err != nil {
		// Only Message is printed: the library's longer form quotes source lines, which may hold secrets.
		var perr toml.ParseError
		if errors.As(err, &perr) {
			return nil, Errors{{File: file, Line: perr.Position.Line, Text: parseMessage(perr)}}
		}
		return nil, Errors{{File: file, Text: err.Error()}}
	}
	root := build(file, raw)
	root.Line = 1
	locate(text, root)
	return root, nil
}

// quoted is a piece of the file in a parser's message: it may be a part of a secret.
var quoted = pattern.Lazy(`"[^"]*"`)

func parseMessage(perr toml.ParseError) string {
	message := quoted().ReplaceAllString(perr.Message, "something else")
	if perr.LastKey != "" {
		return fmt.Sprintf("%s (last key %q)", message, perr.LastKey)
	}
	return message
}

// build makes nodes of what the parser returned, which have no lines yet.
func build(file string, value any) *Node {
	node := &Node{File: file}
	switch v := value.(type) {
	case map[string]any:
		table := make(Table, len(v))
		for key, child := range v {
			table[key] = build(file, child)
		}
		node.Value = table
	case []map[string]any:
		list := make(List, len(v))
		for i, child := range v {
			list[i] = build(file, child)
		}
		node.Value = list
	case []any:
		list := make(List, len(v))
		for i, child := range v {
			list[i] = build(file, child)
		}
		node.Value = list
	default:
		node.Value = v
	}
	return node
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Table returns the node's table, or nil where it is something else.
func (n *Node) Table() Table {
	if n == nil {
		return nil
	}
	table, _ := n.Value.(Table)
	return table
}

// Get returns the child at key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	return n.Table()[key]
}

// list returns the node's array, or nil where it is something else.
func (n *Node) list() List {
	if n == nil {
		return nil
	}
	list, _ := n.Value.(List)
	return list
}

// element returns element i of an array, or nil.
func (n *Node) element(i int) *Node {
	if list := n.list(); i < len(list) {
		return list[i]
	}
	return nil
}

var pathStep = pattern.Lazy(`[^.\[\]]+|\[\d+\]`)

// Find returns the node at a path such as "expect.header" or "targets[3]"; where the path leads out
// of the file (a default, a missing option) it returns the last node on the way.
func (n *Node) Find(path string) *Node {
	at := n
	for _, step := range pathStep().FindAllString(path, -1) {
		var next *Node
		if index, isIndex := strings.CutPrefix(step, "["); isIndex {
			i, _ := strconv.Atoi(strings.TrimSuffix(index, "]"))
			next = at.element(i)
		} else {
			next = at.Get(step)
		}
		if next == nil {
			return at
		}
		at = next
	}
	return at
}

// Over returns n laid over below: tables are merged key by key, anything else of n replaces what is
// below. Neither argument is changed.
func (n *Node) Over(below *Node) *Node {
	if n == nil {
		return below
	}
	if below == nil || n.Table() == nil || below.Table() == nil {
		return n
	}
	merged := maps.Clone(below.Table())
	for key, child := range n.Table() {
		merged[key] = child.Over(merged[key])
	}
	return &Node{File: n.File, Line: n.Line, Value: merged}
}

// Without returns the table without some keys.
func (n *Node) Without(keys ...string) *Node {
	table := maps.Clone(n.Table())
	for _, key := range keys {
		delete(table, key)
	}
	return &Node{File: n.File, Line: n.Line, Value: table}
}

// Canonical returns the content of a table, without some keys, or of anything else as one line, keys sorted: equal
// configuration gives equal text.
func (n *Node) Canonical(without ...string) string {
	return string(n.canonical(make([]byte, 0, 256), without...))
}

func (n *Node) canonical(b []byte, without ...string) []byte {
	switch v := n.Value.(type) {
	case Table:
		b = append(b, '{')
		for _, key := range sortedKeys(v) {
			if !slices.Contains(without, key) {
				b = append(strconv.AppendQuote(b, key), ':')
				b = append(v[key].canonical(b), ',')
			}
		}
		b = append(b, '}')
	case List:
		b = append(b, '[')
		for _, child := range v {
			b = append(child.canonical(b), ',')
		}
		b = append(b, ']')
	case string:
		b = strconv.AppendQuote(b, v)
	default:
		text, _ := json.Marshal(v)
		b = append(b, text...)
	}
	return b
}

// sortedKeys is slices.Sorted(maps.Keys(m)) with one allocation instead of four.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
