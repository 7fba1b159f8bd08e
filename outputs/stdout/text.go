package stdout

import (
	"strings"
	"time"

	"catpaw/internal/printable"
	"catpaw/pipeline"
)

// What a line shows at most, in bytes.
const (
	maxTitle  = 120
	maxWhere  = 160
	maxDetail = 240
)

// textStyle makes lines for people:
//
//	2024-12-16 09:00:05 Critical HTTP check failed | http://127.0.0.1:8888/ | connection refused
type textStyle struct{ colour bool }

var colours = map[pipeline.Status]string{
	pipeline.Critical: "\x1b[31m", // red
	pipeline.Warning:  "\x1b[33m", // yellow
	pipeline.Info:     "\x1b[34m", // blue
	pipeline.Ok:       "\x1b[32m", // green
}

const (
	plain       = "\x1b[0m"
	statusWidth = len("Critical")
)

func (s textStyle) append(b []byte, m *pipeline.Message) []byte {
	e, err := m.Event()
	if err != nil { // never lose an event over its looks
		return appendJSON(b, m)
	}
	b = time.Unix(e.Time, 0).AppendFormat(b, time.DateTime+" ")
	status := e.Status.String()
	padding := strings.Repeat(" ", max(0, statusWidth-len(status)))
	if s.colour {
		status = colours[e.Status] + status + plain
	}
	b = append(b, status+padding+" "+printable.Line(e.Title(), maxTitle)...)
	where := e.Where()
	if where != "" {
		b = append(b, " | "+printable.Line(where, maxWhere)...)
	}
	if detail := e.Detail(); detail != "" {
		b = append(b, " | "+printable.Line(detail, maxDetail)...)
	}
	return append(b, '\n')
}
