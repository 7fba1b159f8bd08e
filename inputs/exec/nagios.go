package exec

import (
	"context"
	"io"
	"strconv"
	"strings"

	"catpaw/internal/command"
	"catpaw/internal/markdown"
	"catpaw/internal/printable"
	"catpaw/pipeline"
)

const (
	// nagiosRead is how much of a plugin's output is looked at. (Nagios itself takes 8 KiB.)
	nagiosRead = 64 << 10
	// nagiosAttrs is how many measured values of one plugin are kept.
	nagiosAttrs = 100
	// nagiosText is how many bytes of the first line, and of the long text, are shown.
	nagiosText = 600
)

// verdict is what an exit status of a plugin means.
type verdict struct {
	status pipeline.Status
	name   string
}

var verdicts = [...]verdict{
	{pipeline.Ok, "OK"}, {pipeline.Warning, "WARNING"}, {pipeline.Critical, "CRITICAL"}, {pipeline.Bad, "UNKNOWN"},
}

// runNagios reports the verdict of a Nagios plugin. While there is none, the alert keeps its state.
func (o *outcome) runNagios(ctx context.Context, r *pipeline.Report, spec command.Spec, timeout string) {
	var output []byte
	spec.Stdout = func(stdout io.Reader) { output, _ = io.ReadAll(io.LimitReader(stdout, nagiosRead)) }
	o.result = command.Run(ctx, spec)
	event := pipeline.Event{Labels: pipeline.L("check", o.job.check), Source: o.job.target}
	switch {
	case o.result.Err != nil:
		o.fault("%s", whyEnded(o.result.Err, timeout, spec.MaxOutput))
	case o.result.Exit < 0 || o.result.Exit >= len(verdicts):
		o.fault("it ended with %s, which is no verdict of a Nagios plugin (0 to 3): %s", o.ending(), quote(output))
	default:
		answer := parseNagios(string(output))
		event.Status, event.Attrs = verdicts[o.result.Exit].status, answer.attrs
		event.Description = o.describeNagios(answer)
		o.events = 1
		r.Add(event)
		return
	}
	event.Status = pipeline.Unknown
	event.Description = "the plugin gave no verdict: " + o.faults[0]
	r.Add(event)
}

func (o *outcome) describeNagios(answer nagiosAnswer) string {
	if o.result.Exit == 0 && o.result.StderrBytes == 0 {
		return printable.Cut(answer.text, nagiosText)
	}
	var b markdown.Builder
	if answer.text != "" {
		b.Item("text", "%s", printable.Cut(answer.text, nagiosText))
	} else {
		b.Item("text", "(the plugin printed nothing)")
	}
	b.Item("status", "%s", verdicts[o.result.Exit].name)
	b.Item("command", "%s", o.job.target)
	for _, n := range o.notes() {
		b.Item(n.name, "%s", n.text)
	}
	if answer.long != "" {
		b.Code("more", printable.Cut(answer.long, nagiosText))
	}
	return b.String()
}

// nagiosAnswer is the output of a plugin, taken apart.
type nagiosAnswer struct {
	text  string // the first line
	long  string // the lines after it
	attrs []pipeline.Attr
}

// parseNagios reads
//
//	TEXT | PERFDATA
//	LONG TEXT
//	LONG TEXT | PERFDATA
//	PERFDATA
//
// as the Monitoring Plugins guidelines have it.
func parseNagios(output string) nagiosAnswer {
	var answer nagiosAnswer
	first, rest, _ := strings.Cut(strings.TrimSpace(output), "\n")
	text, perf, _ := strings.Cut(first, "|")
	answer.text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	long, more, _ := strings.Cut(rest, "|")
	answer.long = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(long, "\r", ""), "\uFFFD"))
	answer.attrs = parsePerfdata(perf + " " + more)
	return answer
}

// units spells out what Prometheus style spells out; other units stay as they are.
var units = map[string]string{"s": "seconds", "%": "percent", "B": "bytes"}

// parsePerfdata reads 'label'=value[unit];warn;crit;min;max, parted by white space. A label with blanks
// is quoted, a quote in it is doubled. The value "U" means that nothing was measured. What cannot be
// read is left out; of equal names the last one counts.
func parsePerfdata(text string) []pipeline.Attr {
	var attrs []pipeline.Attr
	at := map[string]int{}
	for text = strings.TrimSpace(text); text != "" && len(attrs) < nagiosAttrs; text = strings.TrimSpace(text) {
		var name, field string
		name, text = perfLabel(text)
		field, text = cutSpace(text)
		value, unit, ok := perfValue(field)
		if name == "" || !ok {
			continue
		}
		if long := units[unit]; long != "" {
			unit = long
		}
		if unit != "" {
			name += "_" + unit
		}
		name = strings.ToValidUTF8(name, "\uFFFD")
		if i, known := at[name]; known {
			attrs[i].Value = value
			continue
		}
		at[name] = len(attrs)
		attrs = append(attrs, pipeline.Attr{Key: name, Value: value})
	}
	return attrs
}

// perfLabel takes the label and the "=" behind it. Where there is none, the label is "".
func perfLabel(text string) (name, rest string) {
	if text[0] != '\'' {
		end := strings.IndexAny(text, "= \t\r\n")
		if end < 0 || text[end] != '=' {
			_, rest = cutSpace(text)
			return "", rest
		}
		return text[:end], text[end+1:]
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '\'':
		case i+1 < len(text) && text[i+1] == '\'':
			i++
		case i+1 < len(text) && text[i+1] == '=':
			return strings.ReplaceAll(text[1:i], "''", "'"), text[i+2:]
		default:
			_, rest = cutSpace(text[i:])
			return "", rest
		}
	}
	return "", ""
}

func cutSpace(text string) (field, rest string) {
	if i := strings.IndexAny(text, " \t\r\n"); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

// perfValue reads the number and the unit in front of the first ";".
func perfValue(field string) (value float64, unit string, ok bool) {
	field, _, _ = strings.Cut(field, ";")
	end := numberLength(field)
	value, err := strconv.ParseFloat(field[:end], 64)
	return value, field[end:], err == nil
}

// numberLength is how much of the field is the number: digits, and an exponent where one follows.
func numberLength(field string) int {
	end := len(field) - len(strings.TrimLeft(field, "+-.0123456789"))
	if end == len(field) || field[end] != 'e' && field[end] != 'E' {
		return end
	}
	exponent := strings.TrimLeft(field[end+1:], "+-")
	digits := strings.TrimLeft(exponent, "0123456789")
	if digits == exponent {
		return end // an "e" that begins a unit
	}
	return len(field) - len(digits)
}
