// Package inputs lists the probes. A new one is a folder beside this file and a line in the table.
package inputs

import (
	"catpaw/inputs/exec"
	"catpaw/inputs/filechange"
	"catpaw/inputs/http"
	"catpaw/inputs/journaltail"
	"catpaw/inputs/mtime"
	"catpaw/inputs/net"
	"catpaw/inputs/ping"
	"catpaw/inputs/procnum"
	"catpaw/inputs/sfilter"
	"catpaw/pipeline"
)

// Table maps the name of a probe, which is the name of its directory conf.d/p.NAME, to its constructor.
func Table() map[string]func() pipeline.Input {
	processes, raw := procnum.NewTable(), ping.NewRawSockets() // which all checks of these probes share
	return map[string]func() pipeline.Input{
		"exec":        func() pipeline.Input { return exec.New() },
		"filechange":  func() pipeline.Input { return filechange.New() },
		"http":        func() pipeline.Input { return http.New() },
		"journaltail": func() pipeline.Input { return journaltail.New() },
		"mtime":       func() pipeline.Input { return mtime.New() },
		"net":         func() pipeline.Input { return net.New() },
		"ping":        func() pipeline.Input { return ping.New(raw) },
		"procnum":     func() pipeline.Input { return procnum.New(processes) },
		"sfilter":     func() pipeline.Input { return sfilter.New() },
	}
}
