// Package hostile is the suite that every network output over HTTP passes: sinks that refuse, hang,
// babble, lie and break off. After each insult the sink turns well, and the same Output must deliver.
package hostile

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// Suite is an output under test.
type Suite struct {
	// New makes an initialised output from its options in TOML; the suite gives url and, for TLS, tls_ca.
	New func(t testing.TB, options string) pipeline.Output
	// ReadsAnswer: a 2xx is success only once the body of the answer was read.
	ReadsAnswer bool
}

// The secrets stand in every URL. None of them may be in an error.
const (
	password = "hunter2-password"
	key      = "sekret-key-0123456789"
	token    = "T0KEN-in-the-path-abcdef"
)

const (
	patience = 15 * time.Second       // for what should be quick, on a busy machine
	short    = 300 * time.Millisecond // for what never ends
)

type verdict int

const (
	again     verdict = iota // try again
	refused                  // for good
	delivered                //
	judged                   // delivered, or again for outputs that read the answer
)

// Run runs the whole suite.
func (s Suite) Run(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, c)
		})
	}
	t.Run("refuses the connection", func(t *testing.T) { t.Parallel(); s.refused(t) })
	t.Run("redirects", func(t *testing.T) { t.Parallel(); s.redirects(t) })
	t.Run("has a bad certificate", func(t *testing.T) { t.Parallel(); s.badCertificate(t) })
	t.Run("speaks HTTP where TLS is due", func(t *testing.T) { t.Parallel(); s.plainForTLS(t) })
	t.Run("speaks TLS where HTTP is due", func(t *testing.T) { t.Parallel(); s.tlsForPlain(t) })
}

func (s Suite) run(t *testing.T, c insult) {
	server := listen(t, nil)
	server.behave(c.do)
	output := s.open(t, server.url("http"), "")
	s.expect(t, output, c)
	server.behave(well)
	s.expect(t, output, insult{want: delivered})
	s.expect(t, output, insult{want: delivered}) // on a connection kept, as a rule
}

// open makes the output and closes it at the end of the test.
func (s Suite) open(t *testing.T, url, more string) pipeline.Output {
	t.Helper()
	output := s.New(t, fmt.Sprintf("url = %q\n%s", url, more))
	t.Cleanup(func() {
		if err := output.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return output
}

// expect writes once and judges every verdict.
func (s Suite) expect(t *testing.T, output pipeline.Output, c insult) {
	t.Helper()
	timeout := patience
	if c.endless {
		timeout = short
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	batch := messages(output.BatchSize())
	start := time.Now()
	verdicts := output.Write(ctx, batch)
	if took := time.Since(start); took > timeout+patience/2 {
		t.Errorf("Write took %v with a timeout of %v", took, timeout)
	}
	if verdicts != nil && len(verdicts) != len(batch) {
		t.Fatalf("%d verdicts on %d events", len(verdicts), len(batch))
	}
	for i := range batch {
		var err error
		if verdicts != nil {
			err = verdicts[i]
		}
		s.judge(t, c, err)
	}
}

func (s Suite) judge(t *testing.T, c insult, err error) {
	t.Helper()
	want := c.want
	if want == judged {
		if want = delivered; s.ReadsAnswer {
			want = again
		}
	}
	got := delivered
	if err != nil {
		if got = again; pipeline.IsRefused(err) {
			got = refused
		}
	}
	if got != want {
		t.Fatalf("verdict %d, want %d (0 again, 1 refused, 2 delivered): %v", got, want, err)
	}
	if err == nil {
		return
	}
	for _, secret := range []string{password, key, token, base64.StdEncoding.EncodeToString([]byte("user:" + password))} {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
	if !strings.Contains(err.Error(), c.says) {
		t.Errorf("error %q does not say %q", err, c.says)
	}
	if len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\n\r\x00\x1b") {
		t.Errorf("no error for a log: %q", err)
	}
	if wait := pipeline.RetryDelay(err); wait < c.waitMin || wait > c.waitMax {
		t.Errorf("asks to wait %v, want between %v and %v", wait, c.waitMin, c.waitMax)
	}
}

// messages makes a batch of up to three.
func messages(most int) []*pipeline.Message {
	var batch []*pipeline.Message
	for i := range min(most, 3) {
		batch = append(batch, pipetest.Message(pipeline.Event{
			ID: fmt.Sprintf("0193c0ffee00000000000000000000%02x", i), AlertKey: fmt.Sprintf("%032x", i),
			Description: "[MD]\n- **error**: what the sink must hear",
		}))
	}
	return batch
}
