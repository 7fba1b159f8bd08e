// Package inputs lists the probes. A new one is a folder beside this file and a line in the table.
package inputs

import (
	"catpaw/inputs/exec"
	"catpaw/inputs/http"
	"catpaw/inputs/journaltail"
	"catpaw/inputs/net"
	"catpaw/pipeline"
)

// Table maps the name of a probe, which is the name of its directory conf.d/p.NAME, to its constructor.
func Table() map[string]func() pipeline.Input {
	return map[string]func() pipeline.Input{
		"exec":        func() pipeline.Input { return exec.New() },
		"http":        func() pipeline.Input { return http.New() },
		"net":         func() pipeline.Input { return net.New() },
		"journaltail": func() pipeline.Input { return journaltail.New() },
	}
}
