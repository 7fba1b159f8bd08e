package post

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"catpaw/internal/config"
	"catpaw/internal/proxy"
)

// transport makes the way to the sink. It speaks HTTP/1.1 only: there a request that times out closes
// its connection, whereas one dead HTTP/2 connection would fail all requests that share it.
func (o Options) transport() (transport *http.Transport, through *url.URL, err error) {
	var errs []error
	through, err = o.ProxyURL()
	errs = append(errs, err)
	tls, err := o.Config()
	if err != nil {
		errs = append(errs, err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  proxy.Picker(through),
		TLSClientConfig:        tls,
		Protocols:              protocols,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: maxHeaders,
		DisableCompression:     true, // answers are short, and none of them may swell
	}, through, errors.Join(errs...)
}

// ParseURL reads an absolute URL, http or https. The error is a config.FieldError and shows nothing of
// the URL, which may hold a password or a key.
func ParseURL(option string, text config.Secret) (*url.URL, error) {
	parsed, err := url.Parse(strings.TrimSpace(text.Reveal()))
	if err != nil {
		return nil, config.Field(option, "this is no URL: write it as http://host/path, special characters in it as %%XX")
	}
	if parsed.Hostname() == "" {
		return nil, config.Field(option, "this is no URL with a host: write it as http://host/path")
	}
	if !config.IsPort(parsed.Port()) {
		return nil, config.Field(option, "has the port %s: it must be from 1 to 65535", parsed.Port())
	}
	if scheme := strings.ToLower(parsed.Scheme); scheme != "http" && scheme != "https" {
		return nil, config.Field(option, "its scheme %q is neither http nor https", parsed.Scheme)
	}
	return parsed, nil
}
