// Package webhook posts events to any HTTP endpoint: as they are, in batches, or as a template makes
// them.
//
//	events ─► render each ─► join (array or lines) ─► gzip ─► POST ─► status, success rule ─► verdicts
package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"catpaw/internal/config"
	"catpaw/internal/redact"
	"catpaw/outputs/internal/post"
	"catpaw/pipeline"
)

// Output is one HTTP endpoint.
type Output struct {
	// http or https
	URL config.Secret `toml:"url"`
	// POST, PUT or PATCH
	Method string `toml:"method"`
	// table of names and values; values may be read from files: `"@/path"`
	Headers map[string]config.Secret `toml:"headers"`
	// a login
	BasicAuthUser string `toml:"basic_auth_user"`
	// its password
	BasicAuthPass config.Secret `toml:"basic_auth_pass"`
	// instead of a login
	BearerToken config.Secret `toml:"bearer_token"`
	post.Options

	// `json`: the event, or what `body` makes of it; or one of the ready formats for a service
	Format string `toml:"format"`
	// a template of what is sent. Default: the event as JSON.
	Body string `toml:"body"`
	// of the body. Default: `application/json`, or `application/x-ndjson`.
	ContentType string `toml:"content_type"`
	// more than 1: arrays of up to so many events; with a `body`, of what that makes of each. An array does not wait to
	// fill, but for what is just being written to the queue, 50 ms at most: it holds all that waits then and is not on
	// its way, or failed. One that is refused is halved until only the guilty event is refused
	Batch int `toml:"batch"`
	// `json`: an array; `ndjson`: a line each
	BatchFormat string `toml:"batch_format"`
	// compress the body
	Gzip bool `toml:"gzip"`

	Service

	// what the body of a 2xx must be like; one that is not is tried again. See below
	Success Success `toml:"success"`
	// requests in any minute; 0 = no limit
	RateLimit int `toml:"rate_limit"`

	client *post.Client
	header http.Header
	encode encoder
	limit  *post.Limiter
	format *format // nil: json
	keeper *keeper // nil: not Alertmanager
	now    func() time.Time
}

// New returns an output with the default options.
func New() *Output {
	return &Output{Method: http.MethodPost, Format: "json", Batch: 1, BatchFormat: "json", now: time.Now}
}

// Init judges the options, the template included: it is tried on samples.
func (o *Output) Init() error {
	errs := []error{o.useFormat()}
	target, err := o.target()
	errs = append(errs, err)
	if target == nil {
		target = &url.URL{}
	}
	o.client, err = o.Client(target, o.secrets()...)
	errs = append(errs, err, o.judgeMethod(), o.judgeBatch())
	o.header, err = o.headers()
	errs = append(errs, err, o.Success.init())
	o.encode, err = o.newEncoder()
	errs = append(errs, err)
	switch {
	case o.RateLimit < 0 || o.RateLimit > 1_000_000:
		errs = append(errs, config.Field("rate_limit", "%d is not between 0 (no limit) and 1000000 requests a minute", o.RateLimit))
	case o.RateLimit > 0:
		o.limit = new(post.Limiter).Allow(o.RateLimit, time.Minute)
	}
	return errors.Join(errs...)
}

func (o *Output) target() (*url.URL, error) {
	if o.URL == "" {
		return nil, config.Field("url", "it is missing: say where to send the events")
	}
	target, err := post.ParseURL("url", o.URL)
	switch {
	case err != nil:
	case o.Format == "telegram":
		target = target.JoinPath("bot"+o.Token.Reveal(), "sendMessage")
	case o.Format == "alertmanager" && strings.Trim(target.Path, "/") == "":
		target = target.JoinPath("api/v2/alerts")
	}
	return target, err
}

func (o *Output) secrets() []config.Secret {
	basic := redact.BasicAuth(o.BasicAuthUser, o.BasicAuthPass.Reveal())
	secrets := []config.Secret{o.BasicAuthPass, config.Secret(basic), o.BearerToken, o.Secret, o.Token, o.RoutingKey}
	for _, value := range o.Headers {
		secrets = append(secrets, value)
	}
	return secrets
}

// BatchSize is the option batch.
func (o *Output) BatchSize() int { return o.Batch }

// AllOrNone is pipeline.AllOrNone: a batch is one request.
func (o *Output) AllOrNone() bool { return o.Batch > 1 }

// Terse is pipeline.Terse: services that tell people, and those that keep the state of alerts themselves.
func (o *Output) Terse() bool { return o.format != nil && o.format.terse }

// Write sends the messages in one request.
func (o *Output) Write(ctx context.Context, batch []*pipeline.Message) []error {
	verdicts := make([]error, len(batch))
	o.deliver(ctx, batch, verdicts)
	return verdicts
}

// deliver sends a batch and halves it where it is refused, so that only the guilty events are refused
// and not those beside them. Where the sink wants to be tried again it stops: the rest of the batch
// gets that verdict too.
func (o *Output) deliver(ctx context.Context, batch []*pipeline.Message, verdicts []error) (retry error) {
	err := o.send(ctx, batch)
	if pipeline.IsRefused(err) && len(batch) > 1 {
		half := len(batch) / 2
		if retry = o.deliver(ctx, batch[:half], verdicts[:half]); retry == nil {
			return o.deliver(ctx, batch[half:], verdicts[half:])
		}
		fill(verdicts[half:], retry)
		return retry
	}
	fill(verdicts, err)
	if err != nil && !pipeline.IsRefused(err) {
		return err
	}
	return nil
}

func fill(verdicts []error, err error) {
	for i := range verdicts {
		verdicts[i] = err
	}
}

func (o *Output) send(ctx context.Context, batch []*pipeline.Message) error {
	if o.keeper != nil {
		return o.writeAlerts(ctx, batch)
	}
	body, err := o.encode.batch(batch)
	if err != nil {
		return pipeline.Refused(err)
	}
	if err := o.limit.Wait(ctx); err != nil {
		return err
	}
	request := post.Request{Method: o.Method, Header: o.header, Body: body, ID: idOf(batch)}
	if o.format != nil && o.format.query != nil {
		request.Query = o.format.query(o)
	}
	answer, err := o.client.Send(ctx, request)
	if o.format != nil && o.format.judge != nil {
		return o.format.judge(answer, err)
	}
	if err != nil {
		return err
	}
	return o.Success.judge(answer)
}

// idOf is the event's id, and for several the hash of all: equal only for the same events in the same
// order, so that a sink which drops what it has seen never drops a batch with something new in it.
func idOf(batch []*pipeline.Message) string {
	if len(batch) == 1 {
		return batch[0].ID()
	}
	hash := sha256.New()
	for _, m := range batch {
		hash.Write(m.RawID())
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// Close lets go of the connections.
func (o *Output) Close() error {
	if o.keeper != nil {
		o.keeper.close()
	}
	return o.client.Close()
}
