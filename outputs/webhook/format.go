package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"catpaw/internal/config"
	"catpaw/outputs/internal/envelope"
	"catpaw/outputs/internal/post"
	"catpaw/pipeline"
)

// format is how one kind of service wants to be told. Its texts are in people.go and the files named
// after the services.
type format struct {
	contentType string                                          // of a single event; "" = application/json
	batchType   string                                          // of an array of them; "" = it takes no batches
	terse       bool                                            // see pipeline.Terse
	array       bool                                            // always an array
	url         string                                          // where url is not set
	rate        int                                             // requests in any minute that it allows; 0 = no limit
	needs       []string                                        // options of Service that it needs
	takes       []string                                        // and those that it may have
	render      func(o *Output, e *pipeline.Event) (any, error) // to be marshalled; nil: see encode
	encode      func(m *pipeline.Message) ([]byte, error)       // nil: see render
	query       func(o *Output) url.Values                      // what a request adds to the URL
	judge       func(answer *post.Answer, verdict error) error  // of an answer, beyond its status
}

// formats are the ready ones; "json", the event itself, needs none.
func formats() map[string]format {
	return map[string]format{
		"cloudevents":  cloudEvents(),
		"slack":        slack(),
		"dingtalk":     dingTalk(),
		"feishu":       feishu(),
		"wecom":        weCom(),
		"telegram":     telegram(),
		"ntfy":         ntfy(),
		"pagerduty":    pagerDuty(),
		"alertmanager": alertmanager(),
	}
}

// Service are the options that only some formats have.
type Service struct {
	// dingtalk, feishu: the secret of a robot that asks for signatures
	Secret config.Secret `toml:"secret"`
	// telegram: of the bot
	Token config.Secret `toml:"token"`
	// telegram: the chat
	ChatID string `toml:"chat_id"`
	// ntfy: the topic
	Topic string `toml:"topic"`
	// pagerduty: of the integration
	RoutingKey config.Secret `toml:"routing_key"`
	// alertmanager: how often what fires is sent again. Default: `1m`.
	Resend config.Duration `toml:"resend"`
}

// set lists those options of Service that are set.
func (s *Service) set() map[string]bool {
	return map[string]bool{
		"secret": s.Secret != "", "token": s.Token != "", "chat_id": s.ChatID != "", "topic": s.Topic != "",
		"routing_key": s.RoutingKey != "", "resend": s.Resend != 0,
	}
}

// useFormat judges the option format and what goes with it, and fills in what the service prescribes.
func (o *Output) useFormat() error {
	all := formats()
	f, ready := all[o.Format]
	known := append(slices.Sorted(maps.Keys(all)), "json")
	if !ready && o.Format != "json" {
		return config.Field("format", "%q is not one of %s%s", o.Format, strings.Join(known, ", "), config.DidYouMean(o.Format, known))
	}
	errs := []error{o.judgeService(f)}
	if !ready {
		return errors.Join(errs...)
	}
	o.format = &f
	for option, set := range map[string]bool{
		"body": o.Body != "", "content_type": o.ContentType != "", "success": o.Success.isSet(), "batch_format": o.BatchFormat != "json",
		"batch": o.Batch != 1 && f.batchType == "",
	} {
		if set {
			errs = append(errs, config.Field(option, "format = %q settles it; leave it out", o.Format))
		}
	}
	if o.ContentType = f.contentType; o.Batch > 1 || f.array {
		o.ContentType = f.batchType
	}
	if o.URL == "" {
		o.URL = config.Secret(f.url)
	}
	if o.RateLimit == 0 {
		o.RateLimit = f.rate
	}
	if o.Format == "alertmanager" {
		errs = append(errs, o.keep())
	}
	return errors.Join(errs...)
}

// keep prepares what Alertmanager needs.
func (o *Output) keep() error {
	if o.Resend == 0 {
		o.Resend = config.Duration(defaultResend)
	}
	o.keeper = &keeper{every: o.Resend.Std(), send: func(ctx context.Context, events []*pipeline.Event) error {
		return o.sendAlerts(ctx, events, "")
	}}
	if o.Resend.Std() < time.Second {
		return config.Field("resend", `it must be at least 1 second, as in "1m"`)
	}
	return nil
}

// judgeService refuses options of other formats and asks for those that are missing.
func (o *Output) judgeService(f format) error {
	var errs []error
	set := o.Service.set()
	for _, option := range slices.Sorted(maps.Keys(set)) {
		switch needed := slices.Contains(f.needs, option); {
		case needed && !set[option]:
			errs = append(errs, config.Field(option, "format = %q needs it", o.Format))
		case set[option] && !needed && !slices.Contains(f.takes, option):
			errs = append(errs, config.Field(option, "format = %q does not use it", o.Format))
		}
	}
	return errors.Join(errs...)
}

// codeIs judges answers that report failures as a number in the body of a 200. busy are the codes that
// ask for a pause.
func codeIs(field string, fine string, busy ...string) func(*post.Answer, error) error {
	return func(answer *post.Answer, verdict error) error {
		if verdict != nil {
			return verdict
		}
		if answer.Broken != nil {
			return answer.Broken
		}
		code, found := lookUp(answer.Body, field)
		switch {
		case found && code == fine:
			return nil
		case slices.Contains(busy, code):
			return pipeline.RetryAfter(answer.Unhappy("it is told too much: %s", answer.Excerpt()), busyPause)
		}
		return answer.Unhappy("%s is not %s: %s", field, fine, answer.Excerpt())
	}
}

// busyPause is how long a service that complains of too many messages is left alone.
const busyPause = time.Minute

// cloudEvents is https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md,
// structured and batched content mode.
func cloudEvents() format {
	return format{
		contentType: "application/cloudevents+json", batchType: "application/cloudevents-batch+json",
		encode: envelope.Structured,
	}
}

func jsonOfAny(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("it cannot be encoded: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// one makes the body of one event.
func (f *format) one(o *Output, m *pipeline.Message) ([]byte, error) {
	if f.encode != nil {
		return f.encode(m)
	}
	event, err := m.Event()
	if err != nil {
		return nil, err
	}
	value, err := f.render(o, event)
	if err != nil {
		return nil, err
	}
	return jsonOfAny(value)
}
