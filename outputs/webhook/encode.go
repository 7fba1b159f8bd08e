package webhook

import (
	"bytes"
	"compress/gzip"

	"catpaw/pipeline"
)

// encoder makes the body of a request.
type encoder struct {
	template *bodyTemplate // nil: the event as it is
	array    bool          // JSON array, also around a single event
	lines    bool          // one event a line
	gzip     bool
	format   *format // nil: the event, or the template
	output   *Output
}

func (o *Output) newEncoder() (encoder, error) {
	e := encoder{array: o.Batch > 1 && o.BatchFormat == "json", lines: o.BatchFormat == "ndjson", gzip: o.Gzip, format: o.format, output: o}
	if o.Body == "" {
		return e, nil
	}
	template, err := parseBody(o.Body, isJSON(o.ContentType))
	e.template = template
	return e, err
}

// batch makes one body of the messages. Its error means that one of them can never be sent.
func (e encoder) batch(messages []*pipeline.Message) ([]byte, error) {
	body, err := e.join(messages)
	if err != nil || !e.gzip {
		return body, err
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(body) // into memory: it cannot fail
	w.Close()
	return b.Bytes(), nil
}

func (e encoder) join(messages []*pipeline.Message) ([]byte, error) {
	if e.template == nil && e.format == nil && !e.array && !e.lines {
		return messages[0].JSON(), nil
	}
	var b bytes.Buffer
	if e.template == nil && e.format == nil {
		b.Grow(roomFor(messages))
	}
	if e.array {
		b.WriteByte('[')
	}
	for i, m := range messages {
		one, err := e.one(m)
		if err != nil {
			return nil, err
		}
		if e.array && i > 0 {
			b.WriteByte(',')
		}
		b.Write(one)
		if e.lines {
			b.WriteByte('\n')
		}
	}
	if e.array {
		b.WriteByte(']')
	}
	return b.Bytes(), nil
}

// roomFor is how many bytes the messages make as they are.
func roomFor(messages []*pipeline.Message) int {
	room := len("[]")
	for _, m := range messages {
		room += len(m.JSON()) + 1
	}
	return room
}

func (e encoder) one(m *pipeline.Message) ([]byte, error) {
	switch {
	case e.format != nil:
		return e.format.one(e.output, m)
	case e.template == nil:
		return m.JSON(), nil
	}
	event, err := m.Event()
	if err != nil {
		return nil, err
	}
	return e.template.render(event, e.lines)
}
