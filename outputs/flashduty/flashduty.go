// Package flashduty sends events to FlashDuty's standard alert endpoint, or to any server of one's own
// that takes the same six fields.
//
// The interface: https://docs.flashcat.cloud/en/flashduty/custom-alert-integration-guide
package flashduty

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"catpaw/internal/config"
	"catpaw/outputs/internal/post"
	"catpaw/pipeline"
)

// endpoint is where an integration key alone leads.
const endpoint = "https://api.flashcat.cloud/event/push/alert/standard"

// FlashDuty takes so many requests of one integration.
const (
	perSecond = 100
	perMinute = 1000
)

// Output is one FlashDuty integration.
type Output struct {
	// where to push; may hold the integration key. Default: FlashDuty's address, where `integration_key` is set.
	URL config.Secret `toml:"url"`
	// added to the URL
	IntegrationKey config.Secret `toml:"integration_key"`
	post.Options

	client *post.Client
	limit  *post.Limiter
	header http.Header
}

// New returns an output with the default options.
func New() *Output { return &Output{} }

// Init judges the options.
func (o *Output) Init() error {
	target, errTarget := o.target()
	if target == nil {
		target = &url.URL{}
	}
	client, errClient := o.Client(target, o.IntegrationKey)
	o.client = client
	o.limit = new(post.Limiter).Allow(perSecond, time.Second).Allow(perMinute, time.Minute)
	o.header = http.Header{"Content-Type": {"application/json"}}
	return errors.Join(errTarget, errClient)
}

// target is the URL with the integration key in it.
func (o *Output) target() (*url.URL, error) {
	text := o.URL
	if text == "" {
		if o.IntegrationKey == "" {
			return nil, config.Field("url", "it is missing: give the push address that FlashDuty shows for the integration, or the integration_key alone")
		}
		text = endpoint
	}
	target, err := post.ParseURL("url", text)
	if err != nil || o.IntegrationKey == "" {
		return target, err
	}
	query := target.Query()
	if query.Has("integration_key") {
		return nil, config.Field("integration_key", "the url already holds one: give it once")
	}
	query.Set("integration_key", o.IntegrationKey.Reveal())
	target.RawQuery = query.Encode()
	return target, nil
}

// BatchSize is 1: FlashDuty takes one event a request.
func (o *Output) BatchSize() int { return 1 }

// Write posts each message by itself.
func (o *Output) Write(ctx context.Context, batch []*pipeline.Message) []error {
	verdicts := make([]error, len(batch))
	for i, m := range batch {
		verdicts[i] = o.send(ctx, m)
	}
	return verdicts
}

func (o *Output) send(ctx context.Context, m *pipeline.Message) error {
	body, err := fit(m)
	if err != nil {
		return pipeline.Refused(err)
	}
	if err := o.limit.Wait(ctx); err != nil {
		return err
	}
	answer, err := o.client.Send(ctx, post.Request{Header: o.header, Body: body, ID: m.ID()})
	if err != nil {
		return err
	}
	return judge(answer)
}

// payloadCodes are the error codes that say that this event will never do. Any other passes, with time
// or with somebody's help.
var payloadCodes = map[string]bool{
	"InvalidParameter":   true,
	"InvalidContentType": true,
	"NoLicense":          true,
}

// judge reads an answer with status 2xx: an `error` in it is a failure all the same. What is no JSON,
// or none of FlashDuty's, comes from a server of one's own, which is content.
func judge(answer *post.Answer) error {
	if answer.Broken != nil {
		return answer.Broken // the error may have been in the missing part
	}
	var reply struct {
		Error *struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(answer.Body, &reply) != nil || reply.Error == nil {
		return nil
	}
	err := answer.Unhappy("with an error: %s", answer.Excerpt())
	if payloadCodes[reply.Error.Code] {
		return pipeline.Refused(err)
	}
	return err
}

// Close lets go of the connections.
func (o *Output) Close() error { return o.client.Close() }
