package kafkatest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"catpaw/pipeline/pipetest"
)

// sink is one receiver: how to make it go away and come back, and what it has.
type sink struct {
	name       string
	pull, plug func()
	count      func() int
	events     func() []record
}

// TestRealFiveOutputs tells five receivers of the same lasting alerts and pulls the plug of each in turn. The
// other four must not notice, and in the end each has everything, in order.
func TestRealFiveOutputs(t *testing.T) {
	t.Parallel()
	jars, path := needApache(t), binary(t)
	const alerts = 3
	out, reader := newReader(t)
	hook, hookURL := newHook(t, "webhook")
	duty, dutyURL := newHook(t, "flashduty")
	stream, natsURL := newStream(t)
	broker, address := newTopic(t, jars)
	sinks := []*sink{reader, hook, duty, stream, broker}
	conf, says := confd(t, t.TempDir(), fmt.Sprintf(`
[[outputs.stdout]]
[[outputs.webhook]]
url = %q
timeout = '1s'
[[outputs.flashduty]]
url = %q
timeout = '1s'
[[outputs.nats]]
servers = [%q]
jetstream = true
timeout = '2s'
[[outputs.kafka]]
brokers = [%q]
topic = "catpaw-events"
timeout = '2s'
`, hookURL, dutyURL, natsURL, address), "alerting.repeat_interval = 0")
	say(t, says, alerts)
	program := &agent{Cmd: exec.Command(path, "-configs", conf)}
	program.Stderr, program.Stdout = &program.log, out
	must(t, program.Start())
	out.Close()
	t.Cleanup(func() { program.Process.Kill(); program.Wait() })

	goesOn := func(s *sink, besides string) {
		t.Helper()
		const news = 5 * alerts
		before := s.count()
		for deadline := time.Now().Add(enough); s.count() < before+news; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s gets nothing more %s; log:\n%s", s.name, besides, program.log.String())
			}
		}
	}
	for _, pulled := range sinks {
		pulled.pull()
		for _, s := range sinks {
			if s != pulled {
				goesOn(s, "while "+pulled.name+" is away")
			}
		}
		pulled.plug()
		goesOn(pulled, "when it is back")
	}
	for deadline := time.Now().Add(enough); waiting(path, conf) > 10*alerts; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) { // what waits for more than a minute would be told as one with the recovery
			t.Fatalf("the agent does not catch up; log:\n%s", program.log.String())
		}
	}
	say(t, says, 0)
	for _, s := range sinks {
		var all []record
		for deadline := time.Now().Add(enough); recovered(all) < alerts; time.Sleep(50 * time.Millisecond) {
			if all = s.events(); time.Now().After(deadline) {
				t.Fatalf("%s: %d of %d alerts recovered; log:\n%s", s.name, recovered(all), alerts, program.log.String())
			}
		}
		if s.name == "flashduty" { // is told neither id nor count
			t.Logf("%s: %d events", s.name, len(all))
			continue
		}
		events, twice := judgeCounts(t, all)
		t.Logf("%s: %d events, none lost, none out of order, %d of them twice", s.name, events, twice)
	}
}

// list is what a sink got, safe for concurrent use.
type list struct {
	mu  sync.Mutex
	all []record
}

func (l *list) add(t *testing.T, event []byte) {
	var e struct {
		Key    string `json:"alert_key"`
		ID     string `json:"id"`
		Status string `json:"event_status"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		t.Errorf("%q: %v", event, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, record{key: e.Key, value: string(event), headers: map[string]string{"Catpaw-Id": e.ID, "Catpaw-Status": e.Status}})
}

func (l *list) count() int { return len(l.events()) }

func (l *list) events() []record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[:len(l.all):len(l.all)]
}

// newReader reads the standard output; when it is pulled, it stops to read.
func newReader(t *testing.T) (stdout *os.File, s *sink) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	var l list
	var away sync.Mutex
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			away.Lock()
			l.add(t, bytes.Clone(lines.Bytes()))
			away.Unlock()
		}
	}()
	t.Cleanup(func() { away.TryLock(); away.Unlock(); r.Close(); <-done })
	return w, &sink{"stdout", away.Lock, away.Unlock, l.count, l.events}
}

// newHook takes what is posted; when it is pulled, it lets everybody wait.
func newHook(t *testing.T, name string) (s *sink, url string) {
	t.Helper()
	var l list
	var away atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if away.Load() || err != nil {
			<-r.Context().Done()
			return
		}
		l.add(t, body)
	}))
	t.Cleanup(server.Close)
	return &sink{name, func() { away.Store(true) }, func() { away.Store(false) }, l.count, l.events}, server.URL
}

// newStream is a NATS server with a stream; when it is pulled, it is shut down.
func newStream(t *testing.T) (s *sink, url string) {
	t.Helper()
	options := &server.Options{Host: "127.0.0.1", Port: pipetest.FreePorts(t, 1)[0], NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir()}
	var running *server.Server
	start := func() {
		var err error
		running, err = server.NewServer(options.Clone())
		must(t, err)
		running.Start()
		if !running.ReadyForConnections(enough) {
			t.Fatal("the NATS server does not start")
		}
	}
	stop := func() { running.Shutdown(); running.WaitForShutdown() }
	start()
	t.Cleanup(func() { stop() })
	url = running.ClientURL()
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	must(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	must(t, err)
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.>"}})
	must(t, err)
	var l list
	next := uint64(1)
	events := func() []record {
		for info, err := stream.Info(t.Context()); err == nil && next <= info.State.LastSeq; next++ {
			m, err := stream.GetMsg(t.Context(), next)
			if err != nil {
				break
			}
			l.add(t, m.Data)
		}
		return l.events()
	}
	return &sink{"nats", stop, start, func() int { return len(events()) }, events}, url
}

// newTopic is a broker with a topic; when it is pulled, it is killed.
func newTopic(t *testing.T, jars string) (s *sink, address string) {
	t.Helper()
	const topic = "catpaw-events"
	broker := newApache(t, jars, t.TempDir())
	t.Cleanup(func() { broker.kill() })
	broker.createTopic(t, topic, 6)
	address = broker.address("PLAINTEXT")
	client, done := client(address)
	t.Cleanup(done)
	return &sink{
		"kafka", broker.kill, func() { broker.start(t, jars) },
		func() int { return int(ends(t, client, topic)) },
		func() []record { return broker.kcat(t, topic) },
	}, address
}
