package nats

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	for options, want := range map[string]string{
		"servers = []":                           "servers: it is empty",
		"servers = ['127.0.0.1:99999']":          "servers[0]",
		"servers = ['http://x:4222']":            `servers[0]: "http" is not one of nats, tls, ws, wss`,
		"servers = ['nats://me:pw@x:4222']":      "a login does not stand in the address",
		"subject = ''":                           "subject: it is empty",
		"subject = 'a..b'":                       "no empty part",
		"subject = 'a.*'":                        "wildcard",
		"subject = '$SYS.x'":                     "the server's own",
		"subject = 'a.{{.Title}}'":               ".Title is not there. Known: .Status",
		"subject = 'a.{{.Labels.x'":              "is there a }} for each {{",
		"format = 'jsn'":                         `did you mean "json"?`,
		"stream = 'S'":                           "stream: it needs jetstream = true",
		"create_stream = true":                   "create_stream: it needs jetstream = true",
		"jetstream = true\ncreate_stream = true": "say which, with stream",
		"jetstream = true\nstream = 'a b'":       "cannot be the name of a stream",
		"jetstream = true\nstream = 'S'\ncreate_stream = true\nsubject = '{{.Status}}.x'": "would take every subject",
		"user = 'me'\npassword = 'p'\ntoken = 't'":                                        "token: user is set too",
		"password = 'p'":                      "needs user beside it",
		"nkey = 'SUno'":                       "it is no seed of a user",
		"credentials = '" + none + "'":        "credentials:",
		"tls_ca = '" + none + "'":             "tls: TLS options need tls = true",
		"tls = true\ntls_ca = '" + none + "'": "tls_ca",
		"jetstraem = true":                    `did you mean "jetstream"?`,
	} {
		pipetest.WantError(t, pipetest.TryOptions(options, New()), want)
	}
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for rounds, want := range map[int]time.Duration{0: reconnectWait, 1: reconnectWait, 2: time.Second, 5: reconnectMost, 1000: reconnectMost} {
		if got := pauseBetween(rounds); got != want {
			t.Errorf("after %d rounds %s, want %s", rounds, got, want)
		}
	}
}
