package kafka

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"catpaw/pipeline/pipetest"
)

func TestFaultsInOptions(t *testing.T) {
	t.Parallel()
	const brokers = "brokers = ['b:1']\n"
	for _, c := range []struct{ name, options, want string }{
		{"no brokers", ``, `brokers: they are missing`},
		{"a URL is no broker", `brokers = ["kafka://b:1"]`, `test.toml:1: brokers[0]: it is a URL`},
		{"several in one string", `brokers = ["a:1,b:1"]`, `["one:9092", "two:9092"]`},
		{"an empty broker", `brokers = ["a:1", ""]`, `brokers[1]: "" is not host:port`},
		{"a port that cannot be", `brokers = ["a:0"]`, `"a:0" is not host:port`},
		{"an empty port", `brokers = ["a:"]`, `"a:" is not host:port`},
		{"a blank in a host", `brokers = ["a b:1"]`, `"a b:1" is not host:port`},
		{"an IPv6 address without brackets", `brokers = ["::1"]`, `"[::1]:9092"`},
		{"no topic", brokers + `topic = ""`, `test.toml:2: topic: it is empty`},
		{"a topic that cannot be", brokers + `topic = "a b"`, `topic: ' ' cannot be in a topic`},
		{"a topic that is a directory", brokers + `topic = ".."`, `".." cannot be a topic`},
		{"a topic that is too long", brokers + `topic = "` + strings.Repeat("x", 250) + `"`, `250 characters, and a topic at most 249`},
		{"a template that never gives a topic", brokers + `topic = "a/{{.Status}}"`, `'/' cannot be in a topic`},
		{"a template that does not parse", brokers + `topic = "a.{{.Status"`, `topic:`},
		{"an unknown compression", brokers + `compression = "zst"`, `"zst" is not one of none, gzip, snappy, lz4, zstd; did you mean "zstd"?`},
		{"an unknown format", brokers + `format = "avro"`, `"avro" is neither "json" nor "cloudevents"`},
		{"no client_id", brokers + `client_id = ""`, `client_id: "" cannot be one`},
		{"a client_id of two lines", brokers + `client_id = "a\nb"`, `client_id: "a\nb" cannot be one`},
		{"a mechanism that we do not know", brokers + "sasl_mechanism = 'SCRAM-SHA-1'\nsasl_user = 'a'\nsasl_password = 'b'", `"SCRAM-SHA-1" is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; did you mean`},
		{"a mechanism without a user", brokers + "sasl_mechanism = 'PLAIN'\nsasl_password = 'b'", `sasl_user: it is missing`},
		{"a mechanism without a password", brokers + "sasl_mechanism = 'PLAIN'\nsasl_user = 'b'", `sasl_password: it is missing`},
		{"a user without a mechanism", brokers + `sasl_user = 'a'`, `sasl_user: needs sasl_mechanism beside it`},
		{"a password without a mechanism", brokers + `sasl_password = 'a'`, `sasl_password: needs sasl_mechanism beside it`},
		{"a password with a NUL", brokers + "sasl_mechanism = 'PLAIN'\nsasl_user = 'a'\nsasl_password = \"s3cret\\u0000\"", `can hold a NUL`},
		{"a password that SCRAM cannot have", brokers + "sasl_mechanism = 'SCRAM-SHA-256'\nsasl_user = 'a'\nsasl_password = \"s3cret\\u0007\"", `RFC 4013`},
		{"tls_ca without tls", brokers + `tls_ca = "/x"`, `tls_ca: counts only with tls = true`},
		{"insecure_skip_verify without tls", brokers + `insecure_skip_verify = true`, `insecure_skip_verify: counts only with tls = true`},
		{"a tls_ca that is not there", brokers + "tls = true\ntls_ca = '/nowhere/ca.pem'", `tls_ca: open /nowhere/ca.pem`},
		{"tls_cert without tls_key", brokers + "tls = true\ntls_cert = 'x'", `tls_cert: needs tls_key`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := pipetest.TryOptions(c.options, New())
			pipetest.WantError(t, err, c.want)
			if strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestAllFaultsAreTold(t *testing.T) {
	t.Parallel()
	err := pipetest.TryOptions("topic = '/'\ncompression = 'x'\nformat = 'x'\nclient_id = ''\nsasl_user = 'x'\ntls_ca = 'x'", New())
	pipetest.WantError(t, err, "brokers:", "topic:", "compression:", "format:", "client_id:", "sasl_user:", "tls_ca:")
}

func TestBrokersAreCompleted(t *testing.T) {
	t.Parallel()
	o := open(t, `brokers = ["one", "two:1", "[::1]", "[::1]:7", "10.0.0.1"]`)
	want := []string{"one:9092", "two:1", "[::1]:9092", "[::1]:7", "10.0.0.1:9092"}
	if !slices.Equal(o.Brokers, want) {
		t.Errorf("%q, want %q", o.Brokers, want)
	}
}

func TestThePasswordMayBeInAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("s3cret-passw0rd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mechanism := range []string{"plain", "SCRAM-SHA-256", "scram-sha-512"} {
		o := open(t, fmt.Sprintf("brokers = ['b']\nsasl_mechanism = %q\nsasl_user = 'me'\nsasl_password = '@%s'", mechanism, path))
		if o.SASLPassword.Reveal() != "s3cret-passw0rd" || o.login.Name() != strings.ToUpper(mechanism) {
			t.Errorf("%s: %v", mechanism, o.login.Name())
		}
	}
}

func TestValuesOfATopicAreMadeSafe(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"a.b_c-D9": "a.b_c-D9", "http://x/ö": "http___x__", strings.Repeat("x", 500): strings.Repeat("x", maxValue),
	} {
		if got := topicValue(value); got != want {
			t.Errorf("%q becomes %q, want %q", value, got, want)
		}
	}
}
