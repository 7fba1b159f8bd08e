package migrate

import "testing"

// TestSeverities: nothing that was Critical becomes a Warning, or the reverse, unless a note says so.
func TestSeverities(t *testing.T) {
	t.Parallel()
	tryAll(t, map[string]migration{
		"two thresholds of different severity become two checks": {
			old: map[string]string{"p.procnum/p.toml": "[[instances]]\nsearch_exec_name = 'x'\n[instances.process_count]\nwarn_lt = 1\ncritical_gt = 2\n"},
			want: map[string]string{"p.procnum/p.toml": `
[[instances]]
alert_if_num_gt = 2
check = "procnum::process_count"
search_exec_substring = "x"
[instances.alerting]
default_severity = "Critical"
[instances.labels]
target = "x"
tier = "critical"

[[instances]]
alert_if_num_lt = 1
check = "procnum::process_count"
search_exec_substring = "x"
[instances.alerting]
default_severity = "Warning"
[instances.labels]
target = "x"
tier = "warning"
`, "tiers.toml": `
[processors]

[[processors.inhibit]]
equal = ["from_plugin", "check", "target"]
[processors.inhibit.source]
tier = "critical"
[processors.inhibit.target]
tier = ["warning", "info"]

[[processors.inhibit]]
equal = ["from_plugin", "check", "target"]
[processors.inhibit.source]
tier = "warning"
[processors.inhibit.target]
tier = ["info"]
`},
			notes: []string{"for process_count.critical_gt Critical, process_count.warn_lt Warning this became 2 checks"},
		},
		"a threshold of 0 is one, and means that there must be none": {
			old:   map[string]string{"p.procnum/p.toml": "[[instances]]\nsearch_exec_name = 'x'\n[instances.process_count]\ncritical_gt = 0\n"},
			holds: map[string]string{"p.procnum/p.toml": "alert_if_num_gt = 0\n", "tiers.toml": ""},
		},
		"fewer than 0 is never, and makes no check": {
			old:   map[string]string{"p.procnum/p.toml": "[[instances]]\nsearch_exec_name = 'x'\n[instances.process_count]\nwarn_lt = 0\ncritical_lt = 0\nwarn_gt = 5\n"},
			holds: map[string]string{"p.procnum/p.toml": "alert_if_num_gt = 5\ncheck = \"procnum::process_count\"\nsearch_exec_substring = \"x\"\n[instances.alerting]\ndefault_severity = \"Warning\""},
		},
		"a target alone is judged, and is Critical": {
			old: map[string]string{
				"p.net/n.toml":  "[[instances]]\ntargets = ['127.0.0.1:1']\n",
				"p.ping/n.toml": "[[instances]]\ntargets = ['127.0.0.1']\n",
				"p.http/n.toml": "[[instances]]\ntargets = ['http://127.0.0.1']\n",
			},
			want: map[string]string{
				"p.net/n.toml":  "[[instances]]\ntargets = [\"127.0.0.1:1\"]\n[instances.alerting]\ndefault_severity = \"Critical\"",
				"p.ping/n.toml": "[[instances]]\ntargets = [\"127.0.0.1\"]\n[instances.alerting]\ndefault_severity = \"Critical\"",
				"p.http/n.toml": "[[instances]]\ntargets = [\"http://127.0.0.1\"]\n[instances.alerting]\ndefault_severity = \"Critical\"",
			},
		},
		"in a configuration of 0.8 it is a Warning": {
			old: map[string]string{
				"config.toml":  "[flashduty]\nurl = 'http://127.0.0.1'\n",
				"p.net/n.toml": "[[instances]]\ntargets = ['127.0.0.1:1']\n",
			},
			want: map[string]string{"p.net/n.toml": "[[instances]]\ntargets = [\"127.0.0.1:1\"]"},
		},
		"what a partial says counts for the severity": {
			old: map[string]string{"p.ping/p.toml": `
[[partials]]
id = "p"
count = 3
[partials.connectivity]
severity = "Critical"
[partials.packet_loss]
critical_ge = 50.0
[[instances]]
partial = "p"
targets = ["127.0.0.1"]
[instances.rtt]
warn_ge = "100ms"
`},
			want: map[string]string{"p.ping/p.toml": `
[[instances]]
alert_if_packet_loss_percent_ge = 50.0
count = 3
targets = ["127.0.0.1"]
[instances.alerting]
default_severity = "Critical"
[instances.labels]
tier = "critical"

[[instances]]
alert_if_rtt_ge = "100ms"
count = 3
targets = ["127.0.0.1"]
[instances.alerting]
default_severity = "Warning"
[instances.labels]
tier = "warning"
`},
			notes: []string{"connectivity Critical, packet_loss.critical_ge Critical, rtt.warn_ge Warning"},
		},
		"a partial of another file of the directory is found": {
			old: map[string]string{
				"p.net/a.toml": "[[partials]]\nid = 'p'\n[partials.connectivity]\nseverity = 'Info'\n",
				"p.net/b.toml": "[[instances]]\npartial = 'p'\ntargets = ['127.0.0.1:1']\n",
			},
			want: map[string]string{"p.net/a.toml": "", "p.net/b.toml": "[[instances]]\ntargets = [\"127.0.0.1:1\"]\n[instances.alerting]\ndefault_severity = \"Info\""},
		},
		"one that is nowhere is told": {
			old:   map[string]string{"p.net/b.toml": "[[instances]]\npartial = 'p'\ntargets = ['127.0.0.1:1']\n"},
			notes: []string{`b.toml:2: there is no partial "p"`},
		},
		"a lesser connectivity is told to be worse where something else is": {
			old:   map[string]string{"p.net/n.toml": "[[instances]]\ntargets = ['127.0.0.1:1']\n[instances.connectivity]\nseverity = 'Warning'\n[instances.response_time]\ncritical_ge = '1s'\n"},
			notes: []string{"Every one of them judges connectivity: when that is bad, it is Critical"},
		},
		"status and body are Warnings where nothing is said": {
			old: map[string]string{"p.http/h.toml": "[[instances]]\ntargets = ['http://127.0.0.1']\n[instances.connectivity]\nseverity = 'Warning'\n[instances.status_code]\nexpect = ['200']\n[instances.response_body]\nexpect_substring = 'x'\n"},
			want: map[string]string{"p.http/h.toml": `
[[instances]]
targets = ["http://127.0.0.1"]
[instances.alerting]
default_severity = "Warning"
[instances.expect]
response_status_code = ["200"]
response_substring = "x"
`},
		},
		"a threshold of no time is off, a text of 0 is a text": {
			old:  map[string]string{"p.http/h.toml": "[[instances]]\ntargets = ['http://127.0.0.1']\n[instances.response_time]\nwarn_ge = '0ms'\n[instances.response_body]\nexpect_substring = '0'\nseverity = 'Critical'\n"},
			want: map[string]string{"p.http/h.toml": "[[instances]]\ntargets = [\"http://127.0.0.1\"]\n[instances.alerting]\ndefault_severity = \"Critical\"\n[instances.expect]\nresponse_substring = \"0\""},
		},
		"a severity for what is not asked for counts for nothing": {
			old:  map[string]string{"p.http/h.toml": "[[instances]]\ntargets = ['http://127.0.0.1']\n[instances.status_code]\nseverity = 'Info'\n"},
			want: map[string]string{"p.http/h.toml": "[[instances]]\ntargets = [\"http://127.0.0.1\"]\n[instances.alerting]\ndefault_severity = \"Critical\""},
		},
		"a severity that is none is told": {
			old:   map[string]string{"p.net/n.toml": "[[instances]]\ntargets = ['127.0.0.1:1']\n[instances.connectivity]\nseverity = 'Ok'\n"},
			notes: []string{`connectivity.severity: "Ok" is not a severity`},
		},
	})
}
