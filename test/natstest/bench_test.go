package natstest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"catpaw/internal/measure"
	"catpaw/pipeline/pipetest"
)

// BenchmarkJetStream drains a durable queue of 200,000 events into a stream, through the whole agent, and
// compares with a bare client that publishes as much, as many on their way at a time, and keeps nothing.
func BenchmarkJetStream(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "catpaw")
	build := exec.Command("go", "build", "-o", binary, "./cmd/catpaw")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	measure.Grow(b, 200_000, func(b *testing.B, n int) {
		address := pipetest.FreeAddress(b)
		full := fill(b, binary, address, n)
		measure.Compare(b,
			func() measure.Figures { return drain(b, binary, full, address, n) },
			func() measure.Figures { return bare(b, n) })
	})
}

// fill makes a state directory with the events queued, while nobody listens.
func fill(b *testing.B, binary, address string, events int) (dir string) {
	b.Helper()
	dir = b.TempDir()
	says := filepath.Join(dir, "says")
	pipetest.BurstFile(b, says, events, events)
	for path, content := range map[string]string{
		filepath.Join(dir, "c/config.toml"):   fmt.Sprintf("[[outputs.nats]]\nservers = ['nats://%s']\njetstream = true\nqueue = { max_events = 10000000, max_bytes = '16GiB' }\n", address),
		filepath.Join(dir, "c/p.exec/a.toml"): fmt.Sprintf("[[instances]]\ninterval = '1h'\ntimeout = '10m'\nmax_output = '2GiB'\ncommands = [['cat', %q]]\n", says),
		filepath.Join(dir, "c/p.net/a.toml"):  "[[instances]]\n",
	} {
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	agent := run(b, binary, dir)
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var queues []struct{ Queued int }
		out, _ := exec.Command(binary, "queue", "--json", "-configs", filepath.Join(dir, "c")).Output()
		if json.Unmarshal(out, &queues) == nil && len(queues) == 1 && queues[0].Queued == events {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("the queue does not fill: %s", out)
		}
	}
	agent.Process.Signal(os.Interrupt)
	agent.Wait()
	return dir
}

func run(b *testing.B, binary, dir string, more ...string) *exec.Cmd {
	b.Helper()
	cmd := exec.Command(binary, append([]string{"-configs", filepath.Join(dir, "c"), "-loglevel", "fatal"}, more...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

// drain starts the agent on a copy of the queue and returns the time from the first event in the stream to
// the last: the start, with 200,000 alerts to read, is measured elsewhere.
func drain(b *testing.B, binary, full, address string, events int) measure.Figures {
	b.Helper()
	dir := b.TempDir()
	defer os.RemoveAll(dir) // gigabytes, a round
	if err := os.CopyFS(dir, os.DirFS(full)); err != nil {
		b.Fatal(err)
	}
	s := serve(b, func(o *server.Options) { withJetStream(o); fmt.Sscanf(address, "127.0.0.1:%d", &o.Port) })
	defer stop(s)
	made := stream(b, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.>"}})
	agent := run(b, binary, dir, "-plugins", "net") // the events' own check does not run again
	early := await(b, made, 1)                      // they came before the time begins
	begun := time.Now()
	came := await(b, made, uint64(events)) - early
	took := time.Since(begun)
	figures, err := measure.End(agent)
	if err != nil {
		b.Fatal(err)
	}
	figures["events/s"] = float64(came) / took.Seconds()
	return figures
}

// await waits until a stream has so many events and returns how many it has then.
func await(b *testing.B, s jetstream.Stream, events uint64) (there uint64) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(time.Millisecond) {
		if there = held(b, s); there >= events {
			return there
		}
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d came", there, events)
		}
	}
}

// bare publishes with nothing but the client library.
func bare(b *testing.B, events int) measure.Figures {
	b.Helper()
	s := serve(b, withJetStream)
	defer stop(s)
	made := stream(b, s, jetstream.StreamConfig{Name: "ALERTS", Subjects: []string{"catpaw.>"}})
	js, err := jetstream.New(client(b, s), jetstream.WithPublishAsyncMaxPending(1<<16))
	if err != nil {
		b.Fatal(err)
	}
	data := pipetest.BurstMessage().JSON()
	begun := time.Now()
	const flight = 4000
	for from := 0; from < events; from += flight {
		for i := range min(flight, events-from) {
			m := &nats.Msg{Subject: "catpaw.events", Data: data, Header: nats.Header{nats.MsgIdHdr: {fmt.Sprint(from + i)}, "Catpaw-Status": {"Warning"}, "Content-Type": {"application/json"}}}
			if _, err := js.PublishMsgAsync(m); err != nil {
				b.Fatal(err)
			}
		}
		<-js.PublishAsyncComplete()
	}
	await(b, made, uint64(events))
	took := time.Since(begun)
	js.CleanupPublisher()
	return measure.Figures{"events/s": float64(events) / took.Seconds()}
}
