package http

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"catpaw/internal/config"
	"catpaw/internal/match"
	"catpaw/pipeline"
)

// expectedHeader is one entry of expect.header.
type expectedHeader struct {
	name string // as it was written
	glob *match.Pattern
}

// Idle is true of an instance without targets.
func (p *Probe) Idle() string { return pipeline.IdleWithout(p.Targets) }

// Init judges the options.
func (p *Probe) Init() error {
	p.method = strings.ToUpper(p.Method)
	if p.method == "" {
		p.method = http.MethodGet
	}
	err := errors.Join(p.initLimits(), p.initHeaders(), p.initAuth(), p.initExpect(), p.initClient())
	err = errors.Join(err, p.initTargets())
	p.initSecrets()
	return err
}

func (p *Probe) initLimits() error {
	var errs []error
	errs = append(errs, config.Between("concurrency", p.Concurrency, 1, pipeline.MaxConcurrency))
	if p.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", `must be more than 0, as in "5s"`))
	}
	if p.MaxBodyBytes < 1 {
		errs = append(errs, config.Field("max_body_bytes", `must be more than 0, as in "1MiB"`))
	}
	if p.IPVersion != 0 && p.IPVersion != 4 && p.IPVersion != 6 {
		errs = append(errs, config.Field("ip_version", "must be 4 or 6, not %d; leave it out for either", p.IPVersion))
	}
	if !isToken(p.method) {
		errs = append(errs, config.Field("method", "%q is not a method: write a word such as GET, HEAD or POST", p.Method))
	}
	return errors.Join(errs...)
}

func (p *Probe) initHeaders() error {
	p.header, p.host = http.Header{"User-Agent": {"catpaw"}}, ""
	if len(p.Headers)%2 != 0 {
		return config.Field("headers", `is a list of names and values in turn, as in ["Accept", "text/html"], but has %d elements`, len(p.Headers))
	}
	var errs []error
	own := http.Header{}
	for i := 0; i < len(p.Headers); i += 2 {
		name, value := p.Headers[i].Reveal(), p.Headers[i+1].Reveal()
		switch {
		case !isToken(name):
			errs = append(errs, config.Field(fmt.Sprintf("headers[%d]", i), "%q cannot be the name of a header", name))
		case !isHeaderValue(value):
			errs = append(errs, config.Field(fmt.Sprintf("headers[%d]", i+1), "the value of %s must be one line without control characters", name))
		case strings.EqualFold(name, "Host"):
			p.host = value
		default:
			own.Add(name, value)
		}
	}
	maps.Copy(p.header, own)
	return errors.Join(errs...)
}

func (p *Probe) initAuth() error {
	var errs []error
	basic := p.BasicAuthUser != "" || p.BasicAuthPass != ""
	switch {
	case basic && p.BearerToken != "":
		errs = append(errs, config.Field("bearer_token", "cannot be used together with basic_auth_user: a request has one Authorization"))
	case basic && p.BasicAuthUser == "":
		errs = append(errs, config.Field("basic_auth_pass", "needs basic_auth_user beside it"))
	case strings.Contains(p.BasicAuthUser, ":"):
		errs = append(errs, config.Field("basic_auth_user", "must not hold a colon: it ends the name"))
	case basic:
		r := http.Request{Header: p.header}
		r.SetBasicAuth(p.BasicAuthUser, p.BasicAuthPass.Reveal())
	case !isHeaderValue(p.BearerToken.Reveal()):
		errs = append(errs, config.Field("bearer_token", "must be one line without control characters"))
	case p.BearerToken != "":
		p.header.Set("Authorization", "Bearer "+p.BearerToken.Reveal())
	}
	return errors.Join(errs...)
}

func (p *Probe) initExpect() error {
	var slow error
	if p.Expect.Time > 0 && p.Expect.Time >= p.Timeout {
		slow = config.Field("expect.response_time", "%s must be less than timeout (%s), at which the check fails anyway", p.Expect.Time, p.Timeout)
	}
	return errors.Join(p.initExpectedStatus(), p.initExpectedBody(), p.initExpectedHeaders(), slow)
}

func (p *Probe) initExpectedStatus() error {
	var errs []error
	set, err := match.CompileSet(p.Expect.StatusCode)
	for _, fault := range match.Faults(err) {
		errs = append(errs, config.Field(fmt.Sprintf("expect.response_status_code[%d]", fault.Index), "%v", fault.Err))
	}
	for i, pattern := range p.Expect.StatusCode {
		if one, err := match.Compile(pattern); err == nil && !matchesAnyStatus(one) {
			errs = append(errs, config.Field(fmt.Sprintf("expect.response_status_code[%d]", i),
				`%q matches no status code: write one such as "200", or a glob such as "20*"`, pattern))
		}
	}
	p.status = set
	return errors.Join(errs...)
}

func matchesAnyStatus(pattern *match.Pattern) bool {
	for code := 100; code <= 999; code++ {
		if pattern.Match(strconv.Itoa(code)) {
			return true
		}
	}
	return false
}

func (p *Probe) initExpectedBody() error {
	p.body = nil
	if p.Expect.Regex == "" {
		return nil
	}
	compiled, err := regexp.Compile(p.Expect.Regex)
	if err != nil {
		return config.Field("expect.response_regex", "%q is not a regular expression: %v", p.Expect.Regex, err)
	}
	p.body = compiled
	return nil
}

func (p *Probe) initExpectedHeaders() error {
	var errs []error
	p.headers = nil
	for _, name := range slices.Sorted(maps.Keys(p.Expect.Header)) {
		glob, err := match.Compile(p.Expect.Header[name])
		switch {
		case !isToken(name):
			errs = append(errs, config.Field("expect.header", "%q cannot be the name of a header", name))
		case err != nil:
			errs = append(errs, config.Field("expect.header."+name, "%v", err))
		default:
			p.headers = append(p.headers, expectedHeader{name: name, glob: glob})
		}
	}
	return errors.Join(errs...)
}

// initTargets judges the URLs. No targets is not a fault: the instance is idle.
func (p *Probe) initTargets() error {
	var errs []error
	p.targets = make([]target, 0, len(p.Targets))
	for i, written := range p.Targets {
		u, err := p.parseTarget(written)
		if err != nil {
			errs = append(errs, config.Field(fmt.Sprintf("targets[%d]", i), "%v", err))
			continue
		}
		p.targets = append(p.targets, p.newTarget(written, u))
	}
	return errors.Join(errs...)
}

func (p *Probe) parseTarget(written string) (*url.URL, error) {
	u, err := url.Parse(written)
	secret := strings.Contains(written, "@") // there may be a password, which no error may repeat
	switch {
	case !strings.Contains(written, "://") && !secret:
		return nil, fmt.Errorf("%q is not an http or https URL: write it out, as in http://127.0.0.1:8080/health", written)
	case err != nil && !secret:
		return nil, fmt.Errorf("%q is not a URL: %v", written, unwrapURLError(err))
	case err != nil:
		return nil, errors.New("is not a URL: write it as in http://user:password@host:8080/health, with %XX for special characters in the password")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is not an http or https URL: write it out, as in http://127.0.0.1:8080/health")
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no host: write it out, as in http://127.0.0.1:8080/health", u.Redacted())
	case !config.IsPort(u.Port()):
		return nil, fmt.Errorf("%q has the port %s: it must be from 1 to 65535", u.Redacted(), u.Port())
	}
	if literal, err := netip.ParseAddr(u.Hostname()); err == nil && p.IPVersion != 0 && literal.Is4() != (p.IPVersion == 4) {
		return nil, fmt.Errorf("%q is not an address of IPv%d, which ip_version asks for", u.Hostname(), p.IPVersion)
	}
	return u, nil
}

// unwrapURLError drops the method and the URL from an error: what is left holds no password.
func unwrapURLError(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// isToken is RFC 9110's token: a method or the name of a header.
func isToken(text string) bool {
	for i := range len(text) {
		c := text[i]
		letterOrDigit := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letterOrDigit && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return text != ""
}

// isHeaderValue refuses what would end the header's line.
func isHeaderValue(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
