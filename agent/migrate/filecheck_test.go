package migrate

import "testing"

func TestFilecheck(t *testing.T) {
	t.Parallel()
	const alone = "there is no way to ask for one of these alone"
	const stale = "the original tells when any file is older"
	tryAll(t, map[string]migration{
		"a directory is walked, with a slash at its end or without": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/etc/ssh', '/etc/cron.d/', '/etc/passwd']\n[instances.checksum]\nseverity = 'Critical'\n"},
			stat:  only("/etc/ssh/", "/etc/passwd"),
			holds: map[string]string{"p.filechange/f.toml": "check = \"filecheck::checksum\"\nchecksum = true\nfilepaths = [\"/etc/ssh/**\", \"/etc/cron.d/**\", \"/etc/passwd\"]"},
			notes: []string{alone},
		},
		"what is not here may be one, and that is told": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/srv/data']\n[instances.mtime]\nseverity = 'Info'\n"},
			holds: map[string]string{"p.filechange/f.toml": "check = \"filecheck::mtime\"\nfilepaths = [\"/srv/data\"]"},
			notes: []string{alone, `if it is a directory, write "/srv/data/**"`},
		},
		"a glob finds files, and directories to walk": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/etc/*.d']\n[instances.mtime]\nseverity = 'Info'\n"},
			holds: map[string]string{"p.filechange/f.toml": `filepaths = ["/etc/*.d", "/etc/*.d/**"]`},
			notes: []string{alone},
		},
		"who asks whether a directory is there does not ask for what is in it": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/etc/ssh/']\n[instances.existence]\nseverity = 'Critical'\n"},
			holds: map[string]string{"p.filechange/f.toml": "check = \"filecheck::existence\"\nfilepaths = [\"/etc/ssh/\"]"},
			notes: []string{alone},
		},
		"the worst names the check": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/a']\n[instances.mtime]\nseverity = 'Warning'\n[instances.checksum]\nseverity = 'Critical'\n[instances.existence]\nseverity = 'Info'\n"},
			stat:  only("/a"),
			holds: map[string]string{"p.filechange/f.toml": "check = \"filecheck::checksum\""},
			notes: []string{"of checksum Critical, existence Info, mtime Warning it is Critical"},
		},
		"a table without a severity is off": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/a']\n[instances.mtime]\nmode = 'stale'\n[instances.existence]\nseverity = 'Info'\n"},
			want:  map[string]string{"p.mtime/f.toml": ""},
			notes: []string{"mtime has no severity", alone},
		},
		"what is stale differs, and that is told": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/b', '/b/', '/x', '/x*']\n[instances.mtime]\nmode = 'stale'\nseverity = 'Critical'\ntime_span = '26h'\n"},
			stat:  only("/b/"),
			want:  map[string]string{"p.filechange/f.toml": ""},
			holds: map[string]string{"p.mtime/f.toml": "alert_if = \"stale\"\ncheck = \"filecheck::mtime\"\ndirectories = [\"/b\", \"/b/\"]\ntime_span = \"26h\"\n[instances.alerting]\ndefault_severity = \"Critical\""},
			notes: []string{stale, `"/x" is not here`, `"/x*" is left out`},
		},
		"stale beside others becomes two checks": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/b/']\n[instances.mtime]\nmode = 'stale'\nseverity = 'Warning'\n[instances.existence]\nseverity = 'Critical'\n"},
			holds: map[string]string{"p.mtime/f.toml": `default_severity = "Warning"`, "p.filechange/f.toml": `default_severity = "Critical"`},
			notes: []string{stale, alone},
		},
	})
}
