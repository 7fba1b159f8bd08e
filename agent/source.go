// Package agent is the composition root: it reads conf.d, builds the pipeline, runs, reloads and stops it.
//
// source.go, load.go, checks.go and outputs.go turn files into a Configuration; agent.go runs one.
package agent

import (
	"maps"
	"net"
	"os"
	"slices"

	"catpaw/agent/api"
	"catpaw/inputs"
	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/processors/inhibit"
	"catpaw/processors/silence"
)

// Where an installed package keeps its configuration and what must outlive it.
const (
	SystemConfigs = "/etc/catpaw/conf.d"
	systemState   = "/var/lib/catpaw"
)

// Source says where the configuration comes from: a directory, and what the command line puts over it.
type Source struct {
	Dir      string          // e.g. conf.d
	Sought   string          // where else it was looked for; "" = nowhere, for it was named
	StateDir string          // replaces [global] state_dir; "" = not given
	Plugins  []string        // read only these probes; empty = all
	URL      string          // FlashDuty URL that replaces the configured one
	Interval config.Duration // replaces [global] interval; 0 = not given
	LogLevel string          // replaces [log] level; "" = not given
	Version  string          // of the program
	Vars     config.Vars     // resolved once, so that a reload does not rename open alerts

	// inputs makes the probes; nil = each Load takes a table of its own. One for all, so that what checks
	// share they go on sharing when a reload leaves some alone and makes others new.
	inputs map[string]func() pipeline.Input
}

// probes is the table of probes of this load.
func (s Source) probes() map[string]func() pipeline.Input {
	if s.inputs == nil {
		return inputs.Table()
	}
	return s.inputs
}

// Configuration is a directory that was read, judged and found good.
type Configuration struct {
	Log         LogOptions
	WatchConfig bool              // reload when the files change
	StateDir    string            // where the store's file and the control socket are
	Labels      map[string]string // [global.labels]
	Checks      []*pipeline.Check
	Idle        []api.Idle // instances that watch nothing
	Outputs     []*pipeline.OutputSpec
	Windows     []*silence.Window // [[processors.silence]]
	Inhibits    []*inhibit.Rule   // [[processors.inhibit]]
	Sections    []Section         // [global], [status], [[processors.silence]] … as far as they are written
	heartbeat   heartbeatOptions
	page        api.Options
	Warnings    []string // worth telling, not worth refusing
}

// Section is a part of the configuration that is neither a check nor an output.
type Section struct {
	Name, Source string // as it is written; file:line
	id, content  string
}

// Probes are the names of all probes.
func Probes() []string { return slices.Sorted(maps.Keys(inputs.Table())) }

// covers reports whether the checks of a probe were read: -plugins may have left them out.
func (s Source) covers(plugin string) bool {
	return len(s.Plugins) == 0 || slices.Contains(s.Plugins, plugin)
}

// HostVars are $hostname, $ip and the environment. No network is no reason to fail.
func HostVars() config.Vars {
	hostname, err := os.Hostname()
	if err != nil || hostname == "" {
		hostname = "localhost"
	}
	return config.Vars{Named: map[string]string{"hostname": hostname, "ip": hostIP()}, Lookup: os.LookupEnv}
}

// hostIP is the address that the default route would use, else the first global unicast address.
func hostIP() string {
	// Connecting a UDP socket sends nothing; it asks the routing table. The address is one reserved
	// for documentation (RFC 5737).
	if conn, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).IP.String()
	}
	addresses, _ := net.InterfaceAddrs()
	for _, address := range addresses {
		if ipnet, ok := address.(*net.IPNet); ok && ipnet.IP.IsGlobalUnicast() {
			return ipnet.IP.String()
		}
	}
	return "127.0.0.1"
}
