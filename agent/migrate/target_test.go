package migrate

import "testing"

// TestTwoChecksOfOneProbeLoad, since the original has a label target that tells them apart.
func TestTwoChecksOfOneProbeLoad(t *testing.T) {
	t.Parallel()
	const count = "[instances.process_count]\ncritical_lt = 1\n"
	tryAll(t, map[string]migration{
		"procnum has what it searches for": {
			old:   map[string]string{"p.procnum/p.toml": "[[instances]]\nsearch_exec_name = 'a'\n" + count + "[[instances]]\nsearch_cmdline = 'b c'\nsearch_user = 'u'\n" + count + "[[instances]]\nsearch_pid_file = '/run/x.pid'\n" + count},
			holds: map[string]string{"p.procnum/p.toml": "target = \"a\"\n\n[[instances]]\nalert_if_num_lt = 1\ncheck = \"procnum::process_count\"\nsearch_cmdline_substring = \"b c\"\nsearch_user = \"u\"\n[instances.alerting]\ndefault_severity = \"Critical\"\n[instances.labels]\ntarget = \"b c && user:u\"\n"},
		},
		"both searches together are one here, and that is told": {
			old:   map[string]string{"p.procnum/p.toml": "[[instances]]\nsearch_exec_name = 'a'\nsearch_cmdline = 'b'\n" + count},
			holds: map[string]string{"p.procnum/p.toml": `target = "a && b"`},
			notes: []string{"search_exec_name alone counts"},
		},
		"filecheck has its targets": {
			old:   map[string]string{"p.filecheck/f.toml": "[[instances]]\ntargets = ['/a', '/b']\nexistence.severity = 'Info'\nchecksum.severity = 'Info'\nmtime.severity = 'Info'\n[[instances]]\ntargets = ['/c']\nexistence.severity = 'Info'\nchecksum.severity = 'Info'\nmtime.severity = 'Info'\n"},
			stat:  only("/a", "/b", "/c"),
			holds: map[string]string{"p.filechange/f.toml": `target = "/a,/b"`},
		},
		"journaltail has its units, or its filter": {
			old:   map[string]string{"p.journaltail/j.toml": "[[instances]]\nunits = ['a', 'b']\nfilter_include = ['*x*']\n[[instances]]\nfilter_include = ['*x*', '*y*']\n[[instances]]\nfilter_include = ['*z*']\n"},
			holds: map[string]string{"p.journaltail/j.toml": "target = \"*x*(+1)\"\n\n[[instances]]\ncheck = \"journaltail::match\"\nfilter_include = [\"*z*\"]\n[instances.labels]\ntarget = \"*z*\""},
		},
		"scripts of one name are numbered, and that is told": {
			old:   map[string]string{"p.scriptfilter/s.toml": "[[instances]]\ncommand = '/a/check.sh mysql'\nfilter_include = ['*x*']\n[[instances]]\ncommand = '\"/b c/check.sh\"'\nfilter_include = ['*x*']\n", "p.scriptfilter/t.toml": "[[instances]]\ncommand = 'check.sh'\nfilter_include = ['*y*']\n"},
			holds: map[string]string{"p.sfilter/s.toml": `target = "check.sh (2)"`, "p.sfilter/t.toml": `target = "check.sh (3)"`},
			notes: []string{`s.toml:1: target became "check.sh (2)"`, `s.toml:1: target became "check.sh (3)"`},
		},
		"other labels tell them apart, too": {
			old:   map[string]string{"p.scriptfilter/s.toml": "[[instances]]\ncommand = 'a.sh'\nfilter_include = ['*x*']\n[[instances]]\ncommand = 'a.sh'\nfilter_include = ['*y*']\nlabels = { of = 'y' }\n", "p.scriptfilter/t.toml": "labels = { of = 'z' }\n[[instances]]\ncommand = 'a.sh'\nfilter_include = ['*z*']\n"},
			holds: map[string]string{"p.sfilter/t.toml": `target = "a.sh"`},
		},
		"a check of 0.8 has a name of its own, and keeps its labels": {
			old:  map[string]string{"p.procnum/p.toml": "[[instances]]\ncheck = 'x runs'\nsearch_exec_substring = 'x'\nalert_if_num_lt = 1\n"},
			want: map[string]string{"p.procnum/p.toml": "[[instances]]\nalert_if_num_lt = 1\ncheck = \"x runs\"\nsearch_exec_substring = \"x\""},
		},
	})
}
