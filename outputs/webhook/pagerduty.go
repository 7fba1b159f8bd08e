package webhook

import (
	"strings"
	"time"

	"catpaw/pipeline"
)

// pagerDuty is the Events API v2 (https://developer.pagerduty.com/docs/send-alert-event): the alert key
// ties trigger and resolve together; a summary of 1,024 characters.
func pagerDuty() format {
	const mostSummary = 1024
	return format{terse: true, url: "https://events.pagerduty.com/v2/enqueue", needs: []string{"routing_key"},
		render: func(o *Output, e *pipeline.Event) (any, error) {
			message := object{"routing_key": o.RoutingKey.Reveal(), "dedup_key": e.AlertKey, "event_action": "trigger"}
			if e.Status == pipeline.Ok {
				message["event_action"] = "resolve"
				return message, nil
			}
			details := object{"description": strings.TrimSpace(strings.TrimPrefix(e.Description, "[MD]"))}
			for _, label := range e.Labels {
				details["label "+label.Key] = label.Value
			}
			for _, attr := range e.Attrs {
				details[attr.Key] = attr.Value
			}
			n := noticeOf(e)
			message["client"] = "catpaw"
			message["payload"] = object{
				"summary":  cutTo(strings.TrimPrefix(n.Headline, marks[e.Status]+" "), mostSummary, characters),
				"severity": strings.ToLower(e.Status.String()), "source": sourceOf(e), "component": e.Where(), "class": e.Title(),
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
