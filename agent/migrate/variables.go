package migrate

import (
	"maps"
	"slices"

	"catpaw/internal/config"
	"catpaw/internal/pattern"
)

// The original resolves variables in labels, with braces or without; here the environment's have braces, always.
var variable = pattern.Lazy(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)

// hosts are the variables of the host that have another name here; hostname and ip are ours already.
var hosts = map[string]string{
	"HOSTNAME": "hostname", "SHORT_HOSTNAME": "hostname", "IP": "ip", "hostname": "hostname", "ip": "ip",
}

// labels renames the variables in the labels of a file, wherever they stand.
func (t *translator) labels(n *config.Node) {
	switch v := n.Value.(type) {
	case config.List:
		for _, child := range v {
			t.labels(child)
		}
	case config.Table:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == "labels" {
				t.variables(v[key], hosts)
				continue
			}
			t.labels(v[key])
		}
	}
}

// variables renames those in every text below n; all but the known ones are the environment's.
func (t *translator) variables(n *config.Node, known map[string]string) {
	switch v := n.Value.(type) {
	case string:
		n.Value = variable().ReplaceAllStringFunc(v, func(whole string) string {
			m := variable().FindStringSubmatch(whole)
			name := m[1] + m[2]
			if name == "SHORT_HOSTNAME" && known[name] != "" {
				t.note(n, "${SHORT_HOSTNAME} became $hostname, which may have a domain behind it")
			}
			switch ours := known[name]; {
			case ours == "":
				return "${" + name + "}"
			case m[1] != "": // without braces, what stands behind it might be taken for a part of the name
				return "${" + ours + "}"
			default:
				return "$" + ours
			}
		})
	case config.Table:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			t.variables(v[key], known)
		}
	}
}
