package webhook

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"catpaw/internal/config"
	"catpaw/internal/redact"
)

const maxBatch = 10_000

func (o *Output) judgeMethod() error {
	methods := []string{http.MethodPost, http.MethodPut, http.MethodPatch}
	o.Method = strings.ToUpper(o.Method)
	if !slices.Contains(methods, o.Method) {
		return config.Field("method", "%q is not one of %s", o.Method, strings.Join(methods, ", "))
	}
	return nil
}

func (o *Output) judgeBatch() error {
	var errs []error
	if o.Batch < 1 || o.Batch > maxBatch {
		errs = append(errs, config.Field("batch", "%d is not between 1 and %d events", o.Batch, maxBatch))
	}
	if o.BatchFormat != "json" && o.BatchFormat != "ndjson" {
		errs = append(errs, config.Field("batch_format", `%q is neither "json" nor "ndjson"`, o.BatchFormat))
	}
	if o.ContentType == "" {
		o.ContentType = "application/json"
		if o.BatchFormat == "ndjson" {
			o.ContentType = "application/x-ndjson"
		}
	}
	kind, _, err := mime.ParseMediaType(o.ContentType)
	switch {
	case err != nil || !strings.Contains(kind, "/"):
		errs = append(errs, config.Field("content_type", `%q is no media type: write it as "application/json"`, o.ContentType))
	case o.Body == "" && !isJSON(kind):
		errs = append(errs, config.Field("content_type", "the event is sent as JSON: give a body, a template, to send %s", kind))
	case o.Batch > 1 && !isJSON(kind):
		errs = append(errs, config.Field("batch", "only JSON can be sent in batches, and content_type is %s", kind))
	}
	return errors.Join(errs...)
}

// isJSON reports whether what is sent as this media type is JSON, or lines of it.
func isJSON(mediaType string) bool {
	kind, _, _ := mime.ParseMediaType(mediaType)
	return strings.HasSuffix(kind, "json") // also ndjson, x-ndjson, cloudevents+json
}

// ours are the headers that follow from other options, or from the request itself.
var ours = map[string]string{
	"Content-Type":      "set it with content_type",
	"Content-Encoding":  "set it with gzip",
	"Content-Length":    "it follows from the body",
	"Transfer-Encoding": "it follows from the body",
	"Connection":        "connections are catpaw's business",
	"Idempotency-Key":   "catpaw sets it to the id of the event",
}

// headers makes the headers of every request.
func (o *Output) headers() (http.Header, error) {
	header := http.Header{"Content-Type": {o.ContentType}}
	if o.Gzip {
		header.Set("Content-Encoding", "gzip")
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		value, key := o.Headers[name].Reveal(), http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name):
			errs = append(errs, config.Field("headers", "%q cannot be the name of a header", name))
		case !isHeaderValue(value):
			errs = append(errs, config.Field("headers."+name, "its value holds characters that no header may hold, such as line breaks"))
		case ours[key] != "":
			errs = append(errs, config.Field("headers."+name, "it cannot be set here: %s", ours[key]))
		default:
			header.Set(key, value)
		}
	}
	errs = append(errs, o.authorize(header))
	return header, errors.Join(errs...)
}

func (o *Output) authorize(header http.Header) error {
	basic := o.BasicAuthUser != "" || o.BasicAuthPass != ""
	switch {
	case basic && o.BearerToken != "":
		return config.Field("bearer_token", "basic_auth_user is set too: choose one")
	case (basic || o.BearerToken != "") && header.Get("Authorization") != "":
		return config.Field("headers.Authorization", "basic_auth_user or bearer_token is set too: choose one")
	case o.BasicAuthPass != "" && o.BasicAuthUser == "":
		return config.Field("basic_auth_pass", "needs basic_auth_user beside it")
	case strings.Contains(o.BasicAuthUser, ":"):
		return config.Field("basic_auth_user", "a user's name cannot hold a colon")
	case basic:
		header.Set("Authorization", "Basic "+redact.BasicAuth(o.BasicAuthUser, o.BasicAuthPass.Reveal()))
	case !isHeaderValue(o.BearerToken.Reveal()):
		return config.Field("bearer_token", "it holds characters that no header may hold, such as line breaks")
	case o.BearerToken != "":
		header.Set("Authorization", "Bearer "+o.BearerToken.Reveal())
	}
	return nil
}

// isToken is what RFC 9110 §5.6.2 allows as the name of a header.
func isToken(name string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		digit := '0' <= c && c <= '9'
		if !letter && !digit && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

// isHeaderValue is what net/http sends: no control characters but the tab.
func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
