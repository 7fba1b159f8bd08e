package natstest

import (
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestWhoListensHearsTheEvent(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	sub, err := client(t, s).SubscribeSync("catpaw.>")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ options, subject, header, value string }{
		{"", "catpaw.events", "Catpaw-Id", event(1).ID()},
		{"subject = 'catpaw.{{lower .Status}}.{{.Labels.from_plugin}}'", "catpaw.critical.net", "Catpaw-Status", "Critical"},
		{"subject = 'catpaw.{{.Labels.check}}.{{.Labels.region}}'", "catpaw.a_b_c.none", "Content-Type", "application/json"},
		{"format = 'cloudevents'", "catpaw.events", "ce-type", "catpaw.alert.firing"},
	} {
		wantDelivered(t, write(t, open(t, s.ClientURL(), c.options), event(1)))
		m, err := sub.NextMsg(20 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != c.subject || string(m.Data) != string(event(1).JSON()) || m.Header.Get(c.header) != c.value {
			t.Errorf("%s: on %s with %v", c.options, m.Subject, m.Header)
		}
	}
}

func TestAStreamHasEveryEventOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, withJetStream)
	made := stream(t, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.>"}})
	o := open(t, s.ClientURL(), "jetstream = true\nstream = 'ALERTS'")
	batch := events(1000)
	for range 2 { // the second time as after a crash
		wantDelivered(t, write(t, o, batch...))
	}
	if n := held(t, made); n != 1000 {
		t.Errorf("the stream has %d events", n)
	}
	m, err := made.GetMsg(t.Context(), 7)
	if err != nil || m.Header.Get("Nats-Msg-Id") != event(6).ID() || string(m.Data) != string(event(6).JSON()) {
		t.Errorf("the 7th is %+v, %v", m, err)
	}
}

// TestTwoOutputsInOneStream: the stream knows the event by its id already, but not this message.
func TestTwoOutputsInOneStream(t *testing.T) {
	t.Parallel()
	s := serve(t, withJetStream)
	made := stream(t, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"a.>"}})
	one, two := open(t, s.ClientURL(), "jetstream = true\nsubject = 'a.one'"), open(t, s.ClientURL(), "jetstream = true\nsubject = 'a.two'")
	for range 2 { // the second time as after a crash
		wantDelivered(t, write(t, one, events(3)...))
		wantDelivered(t, write(t, two, events(3)...))
	}
	if n := held(t, made); n != 6 {
		t.Errorf("the stream has %d messages of 3 events to 2 subjects", n)
	}
}

func TestAStreamThatIsMissing(t *testing.T) {
	t.Parallel()
	s := serve(t, withJetStream)
	any := open(t, s.ClientURL(), "jetstream = true")
	named := open(t, s.ClientURL(), "jetstream = true\nstream = 'ALERTS'")
	pipetest.WantError(t, write(t, any, event(1))[0], "no stream takes the subject catpaw.events", "create_stream")
	pipetest.WantError(t, write(t, named, event(1))[0], "the stream ALERTS does not exist", "create_stream = true")
	made := stream(t, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"other"}})
	pipetest.WantError(t, write(t, named, event(1))[0], "the stream ALERTS does not take the subject catpaw.events: add it")
	stream(t, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.events"}})
	wantDelivered(t, write(t, any, event(1)))
	wantDelivered(t, write(t, named, event(2)))
	if n := held(t, made); n != 2 {
		t.Errorf("the stream has %d events", n)
	}
}

func TestAStreamIsMadeWhereThatIsWished(t *testing.T) {
	t.Parallel()
	s := serve(t, withJetStream)
	o := open(t, s.ClientURL(), "jetstream = true\nstream = 'MADE'\ncreate_stream = true\nsubject = 'a.b.{{.Plugin}}.{{.Status}}'")
	wantDelivered(t, write(t, o, event(1)))
	js, err := jetstream.New(client(t, s))
	if err != nil {
		t.Fatal(err)
	}
	made, err := js.Stream(t.Context(), "MADE")
	if err != nil || fmt.Sprint(made.CachedInfo().Config.Subjects) != "[a.b.>]" {
		t.Errorf("stream %+v, %v", made, err)
	}
}

func TestWithoutJetStreamThereIsNoStream(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	pipetest.WantError(t, write(t, open(t, s.ClientURL(), "jetstream = true\nstream = 'X'"), event(1))[0], "JetStream is not enabled")
}

func TestLogins(t *testing.T) {
	t.Parallel()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := pair.Seed()
	public, _ := pair.PublicKey()
	byUser := func(o *server.Options) { o.Username, o.Password = "me", "pass-word" }
	byToken := func(o *server.Options) { o.Authorization = "tok-en-1" }
	byKey := func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public}} }
	for name, c := range map[string]struct {
		server      func(*server.Options)
		good, wrong string
	}{
		"user and password": {byUser, "user = 'me'\npassword = 'pass-word'", "user = 'me'\npassword = 'wrong-one'"},
		"token":             {byToken, "token = 'tok-en-1'", "token = 'wrong-one'"},
		"nkey":              {byKey, fmt.Sprintf("nkey = %q", seed), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.server)
			wantDelivered(t, write(t, open(t, s.ClientURL(), c.good), event(1)))
			err := writeWithin(t, open(t, s.ClientURL(), c.wrong), 2*time.Second, event(1))[0]
			pipetest.WantError(t, err, "the login is wrong, or the server asks for one")
			if strings.Contains(err.Error(), "wrong-one") || pipeline.IsRefused(err) {
				t.Errorf("verdict %v", err)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, ca := selfSigned(t)
	s := serve(t, func(o *server.Options) {
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
		o.TLS = true
	})
	url := strings.Replace(s.ClientURL(), "tls://", "nats://", 1)
	wantDelivered(t, write(t, open(t, url, fmt.Sprintf("tls = true\ntls_ca = %q", ca)), event(1)))
	wantDelivered(t, write(t, open(t, url, "tls = true\ninsecure_skip_verify = true"), event(1)))
	pipetest.WantError(t, writeWithin(t, open(t, url, "tls = true"), 2*time.Second, event(1))[0], "certificate")
	plain := serve(t, nil)
	pipetest.WantError(t, writeWithin(t, open(t, plain.ClientURL(), "tls = true\ninsecure_skip_verify = true"), 2*time.Second, event(1))[0], "speaks no TLS")
}

func TestAnEventTooLargeIsRefusedAndNoOther(t *testing.T) {
	t.Parallel()
	s := serve(t, func(o *server.Options) { withJetStream(o); o.MaxPayload = 2000 })
	stream(t, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.>"}})
	large := pipetest.Message(pipeline.Event{ID: "large", Description: strings.Repeat("x", 5000)})
	for _, options := range []string{"", "jetstream = true"} {
		verdicts := write(t, open(t, s.ClientURL(), options), event(1), large, event(2))
		if verdicts[0] != nil || verdicts[2] != nil || !pipeline.IsRefused(verdicts[1]) {
			t.Errorf("%q: %v", options, verdicts)
		}
	}
}

func TestAMessageLargerThanAStreamTakesIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, withJetStream)
	stream(t, s, jetstream.StreamConfig{Name: "SMALL", Subjects: []string{"catpaw.>"}, MaxMsgSize: 2000})
	large := pipetest.Message(pipeline.Event{ID: "large", Description: strings.Repeat("x", 5000)})
	verdicts := write(t, open(t, s.ClientURL(), "jetstream = true"), event(1), large)
	if verdicts[0] != nil || !pipeline.IsRefused(verdicts[1]) {
		t.Errorf("%v", verdicts)
	}
}

func TestASubjectThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	s := serve(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "me", Password: "pass-word", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{"allowed.>"}},
		}}}
	})
	o := open(t, s.ClientURL(), "user = 'me'\npassword = 'pass-word'\nsubject = '{{.Labels.where}}.x'")
	to := func(where string) *pipeline.Message {
		return pipetest.Message(pipeline.Event{ID: where, Labels: pipeline.L("where", where)})
	}
	for range 2 {
		verdicts := write(t, o, to("allowed"), to("forbidden"))
		if verdicts[0] != nil {
			t.Errorf("what is allowed: %v", verdicts[0])
		}
		pipetest.WantError(t, verdicts[1], "does not let us publish to forbidden.x")
	}
	wantDelivered(t, write(t, o, to("allowed")))
}

// TestEveryDeniedSubjectIsSeen: the library keeps only the last denial; none of the others may count as delivered.
func TestEveryDeniedSubjectIsSeen(t *testing.T) {
	t.Parallel()
	s := serve(t, func(o *server.Options) {
		withJetStream(o)
		o.Users = []*server.User{{Username: "me", Password: "pass-word", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Deny: []string{"a.bad.>"}},
		}}, {Username: "root", Password: "root"}}
	})
	conn, err := nats.Connect(s.ClientURL(), nats.UserInfo("root", "root"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err == nil {
		_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "A", Subjects: []string{"a.>"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{"", "jetstream = true"} {
		o := open(t, s.ClientURL(), "user = 'me'\npassword = 'pass-word'\nsubject = 'a.{{.Labels.where}}.{{.Labels.n}}'\n"+options)
		var writers sync.WaitGroup
		for worker := range 4 {
			writers.Go(func() {
				var batch []*pipeline.Message
				for i := range 60 {
					where := []string{"bad", "bad", "good"}[i%3]
					batch = append(batch, pipetest.Message(pipeline.Event{ID: fmt.Sprint(worker, i), Labels: pipeline.L("where", where, "n", fmt.Sprint(worker, "-", i))}))
				}
				begun := time.Now()
				for i, err := range write(t, o, batch...) {
					if denied := err != nil; denied != (i%3 < 2) {
						t.Errorf("%q: event %d: %v", options, i, err)
					}
				}
				if took := time.Since(begun); took > 10*time.Second {
					t.Errorf("%q: it took %s to see it", options, took)
				}
			})
		}
		writers.Wait()
	}
}

func TestASubjectThatCannotBe(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	o := open(t, s.ClientURL(), "subject = '{{.Labels.x}}.{{.Labels.x}}.{{.Labels.x}}'")
	long := pipetest.Message(pipeline.Event{ID: "long", Labels: pipeline.L("x", strings.Repeat("y", 300))})
	verdicts := write(t, o, long, event(1))
	if !pipeline.IsRefused(verdicts[0]) || verdicts[1] != nil {
		t.Errorf("%v", verdicts)
	}
}

func TestAServerThatIsDown(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	o := open(t, "nats://"+address, "")
	pipetest.WantError(t, writeWithin(t, o, 700*time.Millisecond, event(1))[0], "no connection to nats://"+address)
	var port int
	fmt.Sscanf(address, "127.0.0.1:%d", &port)
	serve(t, func(options *server.Options) { options.Port = port })
	wantDelivered(t, write(t, o, event(1)))
}

// TestRestartsUnderLoad stops and starts a server with a stream while events flow: what was not acknowledged
// is written again, and nothing is missing.
func TestRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := func(o *server.Options) { withJetStream(o); o.StoreDir = dir }
	s := serve(t, options)
	_, port, _ := net.SplitHostPort(s.Addr().String())
	stream(t, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.>"}, Storage: jetstream.FileStorage})
	o := open(t, s.ClientURL(), "jetstream = true")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for range 3 {
			time.Sleep(50 * time.Millisecond) // somewhere in the middle
			stop(s)
			s = serve(t, func(o *server.Options) { options(o); fmt.Sscan(port, &o.Port) })
		}
	}()
	left := events(5000)
	for deadline := time.Now().Add(time.Minute); len(left) > 0; {
		batch := left[:min(100, len(left))]
		var again []*pipeline.Message
		for i, err := range writeWithin(t, o, 2*time.Second, batch...) {
			if pipeline.IsRefused(err) {
				t.Fatal(err)
			}
			if err != nil {
				again = append(again, batch[i])
			}
		}
		left = append(again, left[len(batch):]...)
		if time.Now().After(deadline) {
			t.Fatalf("%d events are left", len(left))
		}
	}
	<-stopped
	js, err := jetstream.New(client(t, s))
	if err != nil {
		t.Fatal(err)
	}
	made, err := js.Stream(t.Context(), "ALERTS")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	consumer, err := made.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for range held(t, made) {
		m, err := consumer.Next()
		if err != nil {
			t.Fatal(err)
		}
		ids[m.Headers().Get(nats.MsgIdHdr)]++
	}
	if len(ids) != 5000 {
		t.Errorf("%d of 5000 events came", len(ids))
	}
	var twice int
	for _, n := range ids {
		twice += n - 1
	}
	t.Logf("%d came twice", twice)
}

// TestDebiansServer is the server that distributions ship, in a process of its own.
func TestDebiansServer(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("nats-server")
	if err != nil {
		t.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	cmd := exec.Command(program, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	o := open(t, "nats://127.0.0.1:"+port, "jetstream = true\nstream = 'ALERTS'\ncreate_stream = true\nformat = 'cloudevents'")
	wantDelivered(t, write(t, o, events(500)...))
	wantDelivered(t, write(t, o, events(500)...))
	conn, err := nats.Connect("nats://127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	made, err := js.Stream(t.Context(), "ALERTS")
	if err != nil || made.CachedInfo().State.Msgs != 500 {
		t.Errorf("%+v, %v", made, err)
	}
}
