package http

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline/pipetest"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	p := New()
	if err := p.Init(); err != nil {
		t.Fatal(err)
	}
	if p.Concurrency != 100 || p.Timeout.Std() != 5*time.Second || p.method != "GET" || !p.FollowRedirects || p.MaxBodyBytes != 1<<20 {
		t.Errorf("%+v", p)
	}
}

func TestWrongOptionsAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		pieces     []string
	}{
		{"a target without scheme", "targets = ['localhost:8080']", []string{"test.toml:1", "targets[0]", "localhost:8080", "write it out"}},
		{"the second of several targets", "targets = [\n'http://good.example',\n'ftp://bad.example',\n]", []string{"test.toml:3", "targets[1]", "http or https"}},
		{"a target without host", "targets = ['http://:80/x']", []string{"names no host"}},
		{"an empty target", "targets = ['']", []string{"targets[0]", "http or https URL"}},
		{"a port out of range", "targets = ['http://a.example:65536']", []string{"65536", "1 to 65535"}},
		{"port 0", "targets = ['http://a.example:0']", []string{"1 to 65535"}},
		{"a port that is no number", "targets = ['http://a.example:http']", []string{"invalid port"}},
		{"an address of the other version", "targets = ['http://127.0.0.1']\nip_version = 6", []string{"test.toml:1", "IPv6"}},
		{"no concurrency", "concurrency = 0", []string{"concurrency", "is not between 1 and 10000"}},
		{"a negative concurrency", "concurrency = -1", []string{"concurrency", "is not between 1 and 10000"}},
		{"no timeout", "timeout = 0", []string{"timeout", "more than 0"}},
		{"a negative timeout", "timeout = -1", []string{"timeout", "out of range"}},
		{"no body", "max_body_bytes = 0", []string{"max_body_bytes", "more than 0"}},
		{"a negative size", "max_body_bytes = -1", []string{"max_body_bytes", "negative"}},
		{"a method that is no word", "method = 'GET /'", []string{"method", "GET, HEAD or POST"}},
		{"a method of another type", "method = 1", []string{"method", "a string"}},
		{"an odd number of headers", "headers = ['Accept', 'text/html', 'X-One']", []string{"headers", "3 elements"}},
		{"a header's name with a blank", "headers = ['X One', '1']", []string{"headers[0]", "X One"}},
		{"a header's value with a line break", "headers = ['X-One', \"a\\nb\"]", []string{"headers[1]", "X-One"}},
		{"both ways to log in", "basic_auth_user = 'me'\nbearer_token = 'x'", []string{"test.toml:2", "bearer_token", "one Authorization"}},
		{"a password without user", "basic_auth_pass = 'x'", []string{"needs basic_auth_user"}},
		{"a user with a colon", "basic_auth_user = 'a:b'", []string{"basic_auth_user", "colon"}},
		{"a token with a line break", "bearer_token = \"a\\nb\"", []string{"bearer_token", "one line"}},
		{"a token in a file that is not there", "bearer_token = '@/no/such/file'", []string{"bearer_token", "no such file"}},
		{"a payload of another type", "payload = { a = 1 }", []string{"payload", "a string"}},
		{"a proxy that is no URL", "http_proxy = 'http://[bad'", []string{"http_proxy", "URL of a proxy"}},
		{"a proxy of another protocol", "http_proxy = 'ftp://a.example'", []string{"http_proxy", "socks5"}},
		{"an interface of another type", "interface = 1", []string{"interface", "a string"}},
		{"an unknown version of IP", "ip_version = 5", []string{"ip_version", "4 or 6"}},
		{"a version of IP as text", "ip_version = 'four'", []string{"ip_version", "whole number"}},
		{"redirects of another type", "follow_redirects = 'no'", []string{"follow_redirects", "true or false"}},
		{"a status glob that does not compile", "expect.response_status_code = ['20*', '[4']", []string{"expect.response_status_code[1]", "[4"}},
		{"a status that does not exist", "expect.response_status_code = ['2xx']", []string{"expect.response_status_code[0]", "matches no status code"}},
		{"a substring of another type", "expect.response_substring = 1", []string{"expect.response_substring", "a string"}},
		{"an expression that does not compile", "[expect]\nresponse_regex = '('", []string{"test.toml:2", "expect.response_regex", "missing closing"}},
		{"a response time beyond the timeout", "expect.response_time = '5s'", []string{"expect.response_time", "less than timeout"}},
		{"a header glob that does not compile", "[expect.header]\nServer = '[x'", []string{"test.toml:2", "expect.header.Server"}},
		{"an expected header that cannot be", "[expect.header]\n'a b' = 'x'", []string{"expect.header", "a b"}},
		{"a negative threshold", "expect.cert_expire_threshold = -1", []string{"expect.cert_expire_threshold", "out of range"}},
		{"an authority that is not there", "tls_ca = '/no/such/file'", []string{"tls_ca", "no such file"}},
		{"a certificate without key", "tls_cert = '/no/such/file'", []string{"tls_cert", "needs tls_key"}},
		{"a key without certificate", "tls_key = '/no/such/file'", []string{"tls_key", "needs tls_cert"}},
		{"a server name of another type", "tls_server_name = true", []string{"tls_server_name", "a string"}},
		{"verification of another type", "insecure_skip_verify = 1", []string{"insecure_skip_verify", "true or false"}},
		{"use_tls of another type", "use_tls = 1", []string{"use_tls", "true or false"}},
		{"all at once", "concurrency = 0\nmethod = '/'\ntargets = ['x']\n[expect]\nresponse_regex = '['",
			[]string{"test.toml:1", "test.toml:2", "test.toml:3", "test.toml:5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pipetest.WantError(t, pipetest.TryOptions(c.text, New()), c.pieces...)
		})
	}
}

func TestErrorsHoldNoPassword(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"targets = ['me:4711@a.example']", "targets = ['http://me:x47/11@a.example']", "targets = ['http://me:4711@a.example:70000']",
		"targets = ['ftp://me:4711@a.example']", "targets = ['http://me:4711@']", "targets = ['http://me:4711 @a.example']",
		"http_proxy = 'ftp://me:4711@a.example'", "http_proxy = 'http://me:4711@[a'", "bearer_token = \"4711\\n\"",
	} {
		err := pipetest.TryOptions(text, New())
		if err == nil {
			t.Errorf("%s: no error", text)
		} else if strings.Contains(err.Error(), "47") {
			t.Errorf("%s: the error shows the password: %v", text, err)
		}
	}
}

func TestHeadersAndTokensCanBeReadFromFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := probe(t, "targets = ['%s']\nheaders = ['X-Key', '@%s']\nbearer_token = '@%s'\nexpect.response_regex = '(?s)Bearer from-file.*X-Key: from-file'", server(t, echo), file, file)
	want(t, pipetest.Gather(t, p), bodyDiffers, ok)
}

const sample = "../../conf.d/p.http/http.toml"

func TestTheSampleLoads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	node, err := config.Parse(sample, string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, instance := range node.Get("instances").Value.(config.List) {
		var errs config.Errors
		p := New()
		config.Decode(instance.Without("alerting", "interval", "labels", "partial"), &errs, p)
		errs.AddInit(instance, p.Init())
		if err := errs.Err(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSampleExplainsEveryOption(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []reflect.Type{reflect.TypeFor[Probe](), reflect.TypeFor[Expect]()} {
		for _, field := range reflect.VisibleFields(options) {
			if name := field.Tag.Get("toml"); name != "" && !strings.Contains(string(text), name+" ") && !strings.Contains(string(text), "."+name+"]") {
				t.Errorf("%s says nothing about %s", sample, name)
			}
		}
	}
}
