package config

import (
	"strings"

	"catpaw/internal/pattern"
)

// Vars are the variables that configuration strings may name: $hostname, $ip, ${ENV}, ${ENV:-default}.
type Vars struct {
	Named  map[string]string                // "hostname", "ip", …: as $name or ${name}
	Lookup func(name string) (string, bool) // the environment: as ${NAME} only
}

// A whole name only: $ipx is not $ip. The braced form takes a default after ":-".
var variable = pattern.Lazy(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\})`)

// Expand replaces every known variable in text, once (what a variable holds is not looked at again).
// Whatever is not a known variable stays as it is written.
func (v Vars) Expand(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	return variable().ReplaceAllStringFunc(text, func(whole string) string {
		m := variable().FindStringSubmatch(whole)
		if value, ok := v.Named[m[1]+m[2]]; ok {
			return value
		}
		if m[2] == "" {
			return whole
		}
		if value, ok := v.Lookup(m[2]); ok && (value != "" || m[3] == "") {
			return value
		}
		if m[3] != "" {
			return m[4]
		}
		return whole
	})
}

// ExpandNode replaces the variables in every string below n, in place. Keys are left alone.
func (v Vars) ExpandNode(n *Node) {
	switch value := n.Value.(type) {
	case string:
		n.Value = v.Expand(value)
	case List:
		for _, child := range value {
			v.ExpandNode(child)
		}
	case Table:
		for _, child := range value {
			v.ExpandNode(child)
		}
	}
}
