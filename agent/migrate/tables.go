package migrate

import (
	"slices"
	"strings"

	"catpaw/internal/config"
)

// probe says what becomes of the options of one probe of the original. An option in a table is written
// table.option, as in "packet_loss.warn_ge".
type probe struct {
	parts    []string          // the probes here that it becomes
	check    string            // the label check that the original gave where none is written
	same     []string          // options that are called and mean the same
	moved    map[string]string // those that only have another name
	judged   map[string]string // those that ask for something to be judged → here; critical_X is Critical, others Warning if nothing is said
	zero     []string          // of these, those for which 0 is a value as any other
	always   string            // what is judged in any case, Critical if nothing is said
	oneCheck bool              // the checks of several severities would tell the same
	special  special
}

// special does what the tables cannot. It returns the options that it has dealt with, and whether the instance has
// anything to do in this part.
type special func(t *translator, instance *config.Node, part string, made map[string]any) (done []string, wanted bool)

var tlsOptions = []string{"use_tls", "tls_ca", "tls_cert", "tls_key", "tls_server_name", "insecure_skip_verify"}

var probes = map[string]probe{
	"exec": {
		parts: []string{"exec"}, same: []string{"commands", "timeout", "concurrency", "mode", "check"},
		special: environment,
	},
	"http": {
		parts: []string{"http"},
		same: slices.Concat(tlsOptions, []string{"targets", "concurrency", "timeout", "method", "headers", "payload", "basic_auth_user", "basic_auth_pass",
			"http_proxy", "interface", "follow_redirects", "expect"}),
		moved: map[string]string{
			"expect_response_status_code": "expect.response_status_code", "expect_response_substring": "expect.response_substring",
			"cert_expire_threshold": "expect.cert_expire_threshold",
		},
		judged: map[string]string{
			"status_code.expect":             "expect.response_status_code",
			"response_body.expect_substring": "expect.response_substring", "response_body.expect_regex": "expect.response_regex",
			"cert_expiry.warn_within": "expect.cert_expire_threshold", "cert_expiry.critical_within": "expect.cert_expire_threshold",
			"response_time.warn_ge": "expect.response_time", "response_time.critical_ge": "expect.response_time",
		},
		always: "connectivity",
	},
	"net": {
		parts: []string{"net"}, same: slices.Concat(tlsOptions, []string{"targets", "concurrency", "timeout", "read_timeout", "protocol", "send", "expect"}),
		judged: map[string]string{"response_time.warn_ge": "response_time", "response_time.critical_ge": "response_time"},
		always: "connectivity",
	},
	"ping": {
		parts: []string{"ping"}, same: []string{"targets", "concurrency", "count", "ping_interval", "timeout", "interface", "ipv6", "size", "alert_if_packet_loss_percent_ge"},
		judged: map[string]string{
			"packet_loss.warn_ge": "alert_if_packet_loss_percent_ge", "packet_loss.critical_ge": "alert_if_packet_loss_percent_ge",
			"rtt.warn_ge": "alert_if_rtt_ge", "rtt.critical_ge": "alert_if_rtt_ge",
		},
		always: "connectivity",
	},
	"procnum": {
		parts: []string{"procnum"}, check: "procnum::process_count",
		same: []string{"check", "search_exec_substring", "search_cmdline_substring", "search_win_service", "search_user", "search_pid_file", "alert_if_num_lt", "alert_if_num_gt"},
		moved: map[string]string{
			"search_exec_name": "search_exec_substring", "search_cmdline": "search_cmdline_substring",
		},
		judged: map[string]string{
			"process_count.warn_lt": "alert_if_num_lt", "process_count.critical_lt": "alert_if_num_lt",
			"process_count.warn_gt": "alert_if_num_gt", "process_count.critical_gt": "alert_if_num_gt",
		},
		zero:    []string{"process_count.warn_gt", "process_count.critical_gt"}, // there must be none
		special: nameOfSearch,
	},
	"sfilter": {parts: []string{"sfilter"}, same: []string{"command", "check", "timeout", "filter_include", "filter_exclude", "max_lines"}},
	"scriptfilter": {
		parts: []string{"sfilter"}, check: "scriptfilter::match", same: []string{"command", "timeout", "filter_include", "filter_exclude", "max_lines"},
		special: nameOfCommand,
	},
	"journaltail": {
		parts: []string{"journaltail"}, check: "journaltail::match",
		same:    []string{"check", "time_span", "units", "priority", "max_lines", "timeout", "filter_include", "filter_exclude"},
		special: nameOfFilter,
	},
	"filechange": {parts: []string{"filechange"}, same: []string{"filepaths", "time_span", "check"}},
	"mtime":      {parts: []string{"mtime"}, same: []string{"directory", "time_span", "check"}},
	"filecheck": {
		parts: []string{"filechange", "mtime"}, oneCheck: true, special: filecheck,
	},
}

// environment makes a table of a list of NAME=value.
func environment(_ *translator, instance *config.Node, _ string, made map[string]any) ([]string, bool) {
	switch n := instance.Get("env_vars"); {
	case n == nil:
	case n.Table() != nil:
		made["env"] = plain(n)
	default:
		env := map[string]any{}
		for _, one := range texts(n) {
			name, value, _ := strings.Cut(one, "=")
			env[name] = value
		}
		made["env"] = env
	}
	return []string{"env_vars"}, true
}

// texts are those of a text or a list of texts.
func texts(n *config.Node) (all []string) {
	if n == nil {
		return nil
	}
	if list, ok := n.Value.(config.List); ok {
		for _, child := range list {
			all = append(all, texts(child)...)
		}
		return all
	}
	if text, ok := n.Value.(string); ok {
		return []string{text}
	}
	return nil
}
