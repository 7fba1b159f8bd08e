package webhook

import (
	"bytes"
	"encoding/json"
	"text/template/parse"

	template "github.com/DataDog/datadog-agent/pkg/template/text"
)

// One of these functions is put behind every action; users need not write it.
const (
	escapeName = "_escape" // in JSON
	plainName  = "_plain"  // elsewhere
)

// plain prints nothing for what is not there: an attr, say, that only some events have.
func plain(value any) any {
	if value == nil {
		return ""
	}
	return value
}

// escape prints a value so that it may stand inside the quotes of a JSON string: texts are escaped,
// numbers and truth values are as in JSON, nil is nothing. What is no text, number or truth value is
// its JSON, escaped: outside quotes it needs {{json …}}.
func escape(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		quoted, err := jsonOf(v)
		return quoted[1 : len(quoted)-1], err
	}
	text, err := jsonOf(value)
	if err != nil || text == "" || (text[0] != '{' && text[0] != '[' && text[0] != '"') {
		return text, err
	}
	return escape(text)
}

// jsonOf is the value as JSON, quotes included; "<", ">" and "&" stay as they are.
func jsonOf(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// printThrough puts "| name" behind every action that prints something.
func printThrough(t *template.Template, name string) {
	for _, one := range t.Templates() {
		if one.Tree != nil {
			through(one.Root, name)
		}
	}
}

func through(node parse.Node, name string) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			through(child, name)
		}
	case *parse.ActionNode:
		pipeThrough(n.Pipe, name)
	case *parse.IfNode:
		through(n.List, name)
		through(n.ElseList, name)
	case *parse.RangeNode:
		through(n.List, name)
		through(n.ElseList, name)
	case *parse.WithNode:
		through(n.List, name)
		through(n.ElseList, name)
	}
}

// pipeThrough leaves alone what prints nothing and what ends in json or raw.
func pipeThrough(pipe *parse.PipeNode, function string) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) == 0 {
		return
	}
	last := pipe.Cmds[len(pipe.Cmds)-1]
	if name, ok := last.Args[0].(*parse.IdentifierNode); ok && (name.Ident == "json" || name.Ident == "raw") {
		return
	}
	name := parse.NewIdentifier(function).SetPos(pipe.Pos)
	pipe.Cmds = append(pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pipe.Pos, Args: []parse.Node{name}})
}
