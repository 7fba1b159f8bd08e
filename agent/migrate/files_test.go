package migrate

import "testing"

// TestTheFilesBesideTheProbes: those that the original lays one over the other, and those that it reads as well.
func TestTheFilesBesideTheProbes(t *testing.T) {
	t.Parallel()
	const check = "[[instances]]\ncommands = ['/bin/true']\n"
	tryAll(t, map[string]migration{
		"config.local.toml is laid over all others": {
			old: map[string]string{
				"config.toml": "[global]\ninterval = '30s'\n[log]\nlevel = 'info'\n", "config.local.toml": "[log]\nlevel = 'debug'\n",
				"zz.toml": "[log]\nlevel = 'warn'\nformat = 'json'\n", "p.exec/a.toml": check,
			},
			want: map[string]string{
				"config.local.toml": "", "zz.toml": "",
				"config.toml": "[global]\ninterval = \"30s\"\n\n[log]\nformat = \"json\"\nlevel = \"debug\"",
			},
		},
		"ours are left one beside the other": {
			old:  map[string]string{"config.toml": "[[outputs.stdout]]\nname = 'a'\n", "more.toml": "[[outputs.stdout]]\nname = 'b'\n", "p.exec/a.toml": check},
			want: map[string]string{"more.toml": "[outputs]\n\n[[outputs.stdout]]\nname = \"b\""},
		},
		"what is no TOML is told": {
			old:   map[string]string{"a.yaml": "", "b.yml": "", "c.json": "{}", "p.exec/d.yaml": "", "p.exec/a.toml": check, "README": ""},
			notes: []string{"a.yaml: the file is left out", "b.yml: the file is left out", "c.json: the file is left out", "d.yaml: the file is left out"},
		},
		"variables have braces or none, and are those of the host or the environment": {
			old: map[string]string{
				"config.toml":   "[global.labels]\na = '$HOSTNAME.x'\nb = '$REGION'\nc = '${HOSTNAME}x${IP}'\nd = '$SHORT_HOSTNAME'\n[notify.webapi]\nurl = 'http://127.0.0.1'\nheaders = { H = '$HOSTNAME ${TOKEN}' }\n",
				"p.exec/a.toml": check + "labels = { z = '$ZONE' }\nenv_vars = ['A=$HOME']\n",
			},
			holds: map[string]string{
				"config.toml":   "[global.labels]\na = \"$hostname.x\"\nb = \"${REGION}\"\nc = \"${hostname}x${ip}\"\nd = \"$hostname\"\n",
				"p.exec/a.toml": "[instances.env]\nA = \"$HOME\"\n[instances.labels]\nz = \"${ZONE}\"",
			},
			notes: []string{"${SHORT_HOSTNAME} became $hostname"},
		},
		"headers have the environment's, never the host's": {
			old:   map[string]string{"config.toml": "[notify.webapi]\nurl = 'http://127.0.0.1'\nheaders = { H = '$HOSTNAME ${TOKEN}' }\n", "p.exec/a.toml": check},
			holds: map[string]string{"config.toml": `H = "${HOSTNAME} ${TOKEN}"`},
		},
		"the console is off where nobody switches it on": {
			old:  map[string]string{"config.toml": "[notify.console]\n", "p.exec/a.toml": check},
			want: map[string]string{"config.toml": ""},
		},
	})
}
