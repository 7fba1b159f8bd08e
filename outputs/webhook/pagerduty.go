package webhook

import (
	"strings"
	"time"

	"catpaw/pipeline"
)

// pagerDuty is the Events API v2 (https://developer.pagerduty.com/docs/send-alert-event): the alert key
// ties trigger and resolve together; a summary of 1,024 characters.
func pagerDuty() format {
	const (
		mostSummary = 1024
		mostValue   = 2048      // bytes of a label
		mostLabels  = 200 << 10 // bytes of all; a request may have 512 KB
	)
	return format{terse: true, url: "https://events.pagerduty.com/v2/enqueue", needs: []string{"routing_key"},
		render: func(o *Output, e *pipeline.Event) (any, error) {
			message := object{"routing_key": o.RoutingKey.Reveal(), "dedup_key": e.AlertKey, "event_action": "trigger"}
			if e.Status == pipeline.Ok {
				message["event_action"] = "resolve"
				return message, nil
			}
			details := object{"description": strings.TrimSpace(strings.TrimPrefix(e.Description, "[MD]"))}
			for _, attr := range e.Attrs {
				details[attr.Key] = attr.Value
			}
			labels, room := object{}, mostLabels
			for _, label := range e.Labels {
				value := cutTo(label.Value, mostValue, bytesOf)
				if room -= len(label.Key) + len(value); room < 0 {
					details["labels_left_out"] = len(e.Labels) - len(labels)
					break
				}
				labels[label.Key] = value
			}
			details["labels"] = labels
			n := noticeOf(e)
			message["client"] = "catpaw"
			message["payload"] = object{
				"summary":  cutTo(strings.TrimPrefix(n.Headline, marks[e.Status]+" "), mostSummary, characters),
				"severity": strings.ToLower(e.Status.String()), "source": sourceOf(e), "component": cutTo(e.Where(), mostSummary, characters), "class": cutTo(e.Title(), mostSummary, characters),
				"timestamp": time.Unix(e.Time, 0).UTC().Format(time.RFC3339), "custom_details": details,
			}
			return message, nil
		},
	}
}

// sourceOf names the host; PagerDuty wants one in any case.
func sourceOf(e *pipeline.Event) string {
	for _, key := range []string{"from_hostname", "from_hostip"} {
		if host := e.Labels.Get(key); host != "" {
			return host
		}
	}
	return "catpaw"
}
