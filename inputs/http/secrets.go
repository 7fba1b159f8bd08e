package http

import "strings"

// secretHeaders are parts of the names of headers whose values are not shown.
var secretHeaders = []string{"auth", "cookie", "token", "key", "secret", "password", "session"}

// initSecrets collects what must not be shown, whoever sends it back: a server may repeat a request's
// headers in its answer.
func (p *Probe) initSecrets() {
	hide := &p.redactor
	for i := 0; i+1 < len(p.Headers); i += 2 {
		if isSecretHeader(p.Headers[i].Reveal()) {
			value := p.Headers[i+1].Reveal()
			_, credentials, _ := strings.Cut(value, " ") // "Bearer abc"
			hide.Add(value, credentials)
		}
	}
	hide.Add(p.BearerToken.Reveal())
	hide.AddLogin(p.BasicAuthUser, p.BasicAuthPass.Reveal())
	for i := range p.targets {
		hide.AddUser(p.targets[i].url)
	}
}

func isSecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, part := range secretHeaders {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
