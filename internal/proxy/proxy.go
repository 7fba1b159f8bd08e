// Package proxy reads the option http_proxy, which means the same wherever it stands.
package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"catpaw/internal/config"
)

// Option is embedded in the options of what asks by HTTP.
type Option struct {
	// `http`, `https` or `socks5` URL. Default: the environment's.
	HTTPProxy config.Secret `toml:"http_proxy"`
}

// ProxyURL returns the proxy named by the option, nil where there is none. A host and port alone mean http.
// The error is a config.FieldError; it does not repeat what may hold a password.
func (o Option) ProxyURL() (*url.URL, error) {
	text := strings.TrimSpace(o.HTTPProxy.Reveal())
	if text == "" {
		return nil, nil
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err == nil && u.Hostname() != "" && config.IsPort(u.Port()) {
		switch u.Scheme {
		case "http", "https", "socks5", "socks5h":
			return u, nil
		}
	}
	return nil, config.Field("http_proxy", "is not the URL of a proxy: write http://host:port, or https, socks5 or socks5h")
}

// Picker returns what an http.Transport takes for its Proxy: the option's, else the environment's.
func Picker(u *url.URL) func(*http.Request) (*url.URL, error) {
	if u == nil {
		return http.ProxyFromEnvironment
	}
	return http.ProxyURL(u)
}
