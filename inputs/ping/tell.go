package ping

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"catpaw/internal/markdown"
	"catpaw/pipeline"
)

// checked is the first alert of a target: do its packets come back?
func (p *Probe) checked(i int, s *sight, bad bool, started time.Time) pipeline.Event {
	event := pipeline.Event{Time: started.Unix(), Status: pipeline.Ok, Labels: slices.Clone(p.own[i].check), Attrs: s.attrs()}
	switch {
	case !bad:
		event.Description = "[MD]\n- **target**: " + p.named(i, s) + "\n- **seen**: " + s.echoes.answered() + "\n- **round trip**: " + s.echoes.times()
	case isHost(s.problem):
		event.Status = pipeline.Unknown
		event.Description = "this host could not look: " + s.problem.Error()
	default:
		event.Status = pipeline.Bad
		event.Description = p.describe(i, s)
	}
	return event
}

// judgeTime is the second alert of a target: it answers, but slowly.
func (p *Probe) judgeTime(i int, s *sight, bad bool, started time.Time) pipeline.Event {
	event := pipeline.Event{Time: started.Unix(), Status: pipeline.Ok, Labels: slices.Clone(p.own[i].slow)}
	if s.echoes == nil || s.echoes.received == 0 || bad && isHost(s.problem) {
		event.Status = pipeline.Unknown
		event.Description = "nobody knows how fast it is: no packet came back"
		return event
	}
	event.Attrs = s.attrs()
	if s.echoes.average() >= p.RTTGe.Std() {
		event.Status = pipeline.Bad
	}
	event.Description = "[MD]\n- **target**: " + p.named(i, s) +
		"\n- **expected**: an average below " + p.RTTGe.String() +
		"\n- **round trip**: " + s.echoes.times() + "\n- **seen**: " + s.echoes.answered()
	if event.Status != pipeline.Ok {
		event.Description += "\n- **look further**: " + p.hint(s)
	}
	return event
}

// named is the target, with its address where that is something else.
func (p *Probe) named(i int, s *sight) string {
	if p.literal[i].IsValid() || !s.addr.IsValid() {
		return p.Targets[i]
	}
	return p.Targets[i] + " (" + s.addr.String() + ")"
}

func (p *Probe) describe(i int, s *sight) string {
	var text markdown.Builder
	text.Item("target", "%s", p.named(i, s))
	text.Item("expected", "less than %s %% packet loss", strconv.FormatFloat(p.LossGe, 'f', -1, 64))
	if s.echoes == nil {
		text.Item("seen", "%s", wording(s))
	} else {
		text.Item("seen", "%s", s.echoes.lost())
		if s.echoes.received > 0 {
			text.Item("round trip", "%s", s.echoes.times())
		}
		text.Item("sent", "%s", p.manner(s))
	}
	return text.Item("look further", "%s", p.hint(s)).String()
}

// lost says how many packets did not come back, and what is known of them.
func (e *echoes) lost() string {
	text := itoa(e.count-e.received) + " of " + itoa(e.count) + " packets lost (" + percent(e.lossPercent()) + " %), waiting " + e.wait.String() + " for each"
	if e.late > 0 {
		text += "; " + itoa(e.late) + " came back too late"
	}
	if e.unsent > 0 {
		text += "; " + itoa(e.unsent) + " could not be sent: " + plain(e.sendError)
	}
	return text
}

// manner says what was sent and how.
func (p *Probe) manner(s *sight) string {
	text := itoa(p.Size) + " bytes every " + p.PingInterval.String()
	if s.source != "" {
		text += " from " + s.source
	}
	if s.raw {
		return text + ", on a raw socket"
	}
	return text + ", unprivileged"
}

func (e *echoes) answered() string {
	return itoa(e.received) + " of " + itoa(e.count) + " packets came back"
}

// times needs a reply received.
func (e *echoes) times() string {
	return "min " + milliseconds(e.min) + ", average " + milliseconds(e.average()) + ", max " + milliseconds(e.max)
}

// attrs is what was measured; nothing, where nothing was sent.
func (s *sight) attrs() []pipeline.Attr {
	e := s.echoes
	if e == nil {
		return nil
	}
	attrs := make([]pipeline.Attr, 0, 6)
	attrs = append(attrs,
		pipeline.Attr{Key: "packets_sent", Value: len(e.sentAt)},
		pipeline.Attr{Key: "packets_received", Value: e.received},
		pipeline.Attr{Key: "packet_loss_percent", Value: e.lossPercent()})
	if e.received == 0 {
		return attrs
	}
	return append(attrs,
		pipeline.Attr{Key: "rtt_min_seconds", Value: e.min.Seconds()},
		pipeline.Attr{Key: "rtt_avg_seconds", Value: e.average().Seconds()},
		pipeline.Attr{Key: "rtt_max_seconds", Value: e.max.Seconds()})
}

func itoa(n int) string { return strconv.Itoa(n) }

// percent prints with one decimal at most.
func percent(value float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(value, 'f', 1, 64), ".0")
}

// milliseconds prints a time as "12.345 ms", cheaply: it is on the way of every good result.
func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64) + " ms"
}
