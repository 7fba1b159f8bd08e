// Package natstest holds the nats output against a real NATS server.
package natstest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	natsout "catpaw/outputs/nats"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// serve runs a server, on a free port where none is given.
func serve(t testing.TB, change func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, StoreDir: t.TempDir()}
	if change != nil {
		change(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() { stop(s) })
	return s
}

func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func withJetStream(o *server.Options) { o.JetStream = true }

// open makes an output to a server.
func open(t testing.TB, url, options string) *natsout.Output {
	t.Helper()
	o := natsout.New()
	pipetest.Options(t, fmt.Sprintf("servers = [%q]\n%s", url, options), o)
	t.Cleanup(func() { o.Close() })
	return o
}

// write writes with the patience of a test.
func write(t testing.TB, o *natsout.Output, batch ...*pipeline.Message) []error {
	t.Helper()
	return writeWithin(t, o, 20*time.Second, batch...)
}

func writeWithin(t testing.TB, o *natsout.Output, patience time.Duration, batch ...*pipeline.Message) []error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	verdicts := o.Write(ctx, batch)
	if verdicts == nil {
		verdicts = make([]error, len(batch))
	}
	return verdicts
}

func wantDelivered(t testing.TB, verdicts []error) {
	t.Helper()
	for i, err := range verdicts {
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

func event(n int) *pipeline.Message {
	return pipetest.Message(pipeline.Event{ID: fmt.Sprintf("%032x", n), Status: pipeline.Critical, AlertKey: fmt.Sprint("k", n),
		Labels: pipeline.L("check", "a b.c", "from_hostname", "web1", "from_plugin", "net"), Description: fmt.Sprintf("event %d", n)})
}

func events(n int) (batch []*pipeline.Message) {
	for i := range n {
		batch = append(batch, event(i))
	}
	return batch
}

// client is somebody else's connection.
func client(t testing.TB, s *server.Server, options ...nats.Option) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(s.ClientURL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// stream makes a stream and returns it.
func stream(t testing.TB, s *server.Server, conf jetstream.StreamConfig) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(client(t, s))
	if err != nil {
		t.Fatal(err)
	}
	made, err := js.CreateOrUpdateStream(t.Context(), conf)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func held(t testing.TB, s jetstream.Stream) uint64 {
	t.Helper()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}
