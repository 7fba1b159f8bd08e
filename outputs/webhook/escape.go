package webhook

import (
	"bytes"
	"encoding/json"
	"text/template"
	"text/template/parse"
)

// escapeName is the function that is put behind every action; users need not write it.
const escapeName = "_escape"

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

// escapeActions puts "| _escape" behind every action that prints something.
func escapeActions(t *template.Template) {
	for _, one := range t.Templates() {
		if one.Tree != nil {
			escapeNode(one.Root)
		}
	}
}

func escapeNode(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			escapeNode(child)
		}
	case *parse.ActionNode:
		escapePipe(n.Pipe)
	case *parse.IfNode:
		escapeNode(n.List)
		escapeNode(n.ElseList)
	case *parse.RangeNode:
		escapeNode(n.List)
		escapeNode(n.ElseList)
	case *parse.WithNode:
		escapeNode(n.List)
		escapeNode(n.ElseList)
	}
}

// escapePipe leaves alone what prints nothing and what ends in json or raw.
func escapePipe(pipe *parse.PipeNode) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) == 0 {
		return
	}
	last := pipe.Cmds[len(pipe.Cmds)-1]
	if name, ok := last.Args[0].(*parse.IdentifierNode); ok && (name.Ident == "json" || name.Ident == "raw") {
		return
	}
	name := parse.NewIdentifier(escapeName).SetPos(pipe.Pos)
	pipe.Cmds = append(pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pipe.Pos, Args: []parse.Node{name}})
}
