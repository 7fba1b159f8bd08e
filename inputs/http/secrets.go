package http

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// minSecret is the length below which a text is not hidden: blotting out every "a" would help nobody.
const minSecret = 4

// secretHeaders are parts of the names of headers whose values are not shown.
var secretHeaders = []string{"auth", "cookie", "token", "key", "secret", "password", "session"}

// initSecrets collects what must not be shown, whoever sends it back: a server may repeat a request's
// headers in its answer.
func (p *Probe) initSecrets(valid bool) error {
	if !valid {
		return nil
	}
	var pairs []string
	hide := func(secret string) {
		if len(secret) >= minSecret {
			pairs = append(pairs, secret, "***")
		}
	}
	hideLogin := func(user, password string) {
		if password != "" {
			hide(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
			hide(password)
			hide(url.QueryEscape(password))
		}
	}
	for i := 0; i+1 < len(p.Headers); i += 2 {
		name, value := strings.ToLower(p.Headers[i].Reveal()), p.Headers[i+1].Reveal()
		for _, part := range secretHeaders {
			if strings.Contains(name, part) {
				hide(value)
				_, credentials, _ := strings.Cut(value, " ") // "Bearer abc"
				hide(credentials)
				break
			}
		}
	}
	hide(p.BearerToken.Reveal())
	hideLogin(p.BasicAuthUser, p.BasicAuthPass.Reveal())
	for i := range p.targets {
		if user := p.targets[i].url.User; user != nil {
			password, _ := user.Password()
			hideLogin(user.Username(), password)
		}
	}
	if proxy, err := parseProxy(p.HTTPProxy.Reveal()); err == nil && proxy.User != nil {
		password, _ := proxy.User.Password()
		hideLogin(proxy.User.Username(), password)
	}
	if p.redactor = nil; len(pairs) > 0 {
		p.redactor = strings.NewReplacer(pairs...)
	}
	return nil
}

// redact hides the secrets of the configuration in a text from outside.
func (p *Probe) redact(text string) string {
	if p.redactor == nil {
		return text
	}
	return p.redactor.Replace(text)
}
