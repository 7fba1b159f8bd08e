package post

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"catpaw/internal/config"
)

// transport makes the way to the sink. It speaks HTTP/1.1 only: there a request that times out closes
// its connection, whereas one dead HTTP/2 connection would fail all requests that share it.
func (o Options) transport() (transport *http.Transport, proxy *url.URL, err error) {
	var errs []error
	pick := http.ProxyFromEnvironment
	if o.HTTPProxy != "" {
		if proxy, err = ParseURL("http_proxy", o.HTTPProxy, "http", "https", "socks5", "socks5h"); err != nil {
			errs = append(errs, err)
		}
		pick = http.ProxyURL(proxy)
	}
	tls, err := o.Config()
	if err != nil {
		errs = append(errs, err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  pick,
		TLSClientConfig:        tls,
		Protocols:              protocols,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: maxHeaders,
		DisableCompression:     true, // answers are short, and none of them may swell
	}, proxy, errors.Join(errs...)
}

// ParseURL reads an absolute URL of one of the schemes (http and https where none are given). The
// error is a config.FieldError and shows nothing of the URL, which may hold a password or a key.
func ParseURL(option string, text config.Secret, schemes ...string) (*url.URL, error) {
	if len(schemes) == 0 {
		schemes = []string{"http", "https"}
	}
	parsed, err := url.Parse(strings.TrimSpace(text.Reveal()))
	if err != nil {
		return nil, config.Field(option, "this is no URL: write it as http://host/path, special characters in it as %%XX")
	}
	if parsed.Hostname() == "" {
		return nil, config.Field(option, "this is no URL with a host: write it as http://host/path")
	}
	for _, scheme := range schemes {
		if strings.EqualFold(parsed.Scheme, scheme) {
			return parsed, nil
		}
	}
	return nil, config.Field(option, "its scheme %q is not one of %s", parsed.Scheme, strings.Join(schemes, ", "))
}
