package kafkatest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const (
	alerts     = 20_000 // that the events are of
	partitions = 6
	workers    = 4    // the default concurrency
	batch      = 1000 // what the output takes at once
)

// BenchmarkKafka brings 200,000 events from a queue on disk into Kafka, with the real program, and beside it as
// many with the bare client, from memory. Both count from the first event in the topic to the last. The broker takes
// its share of the same processors in both.
func BenchmarkKafka(b *testing.B) {
	jars, path := needApache(b), binary(b)
	measure.Grow(b, 200_000, func(b *testing.B, n int) {
		broker := newApache(b, jars, b.TempDir())
		defer broker.kill()
		full, events := fill(b, path, n)
		runs := 0
		topic := func() string {
			runs++
			name := fmt.Sprint("run", runs)
			broker.createTopic(b, name, partitions)
			return name
		}
		address := broker.address("PLAINTEXT")
		for range 4 { // until Java has compiled what it needs
			bare(b, address, topic(), 200_000)
		}
		measure.Compare(b,
			func() measure.Figures { return drain(b, path, full, events, address, topic()) },
			func() measure.Figures { return bare(b, address, topic(), events) })
	})
}

const kafkaOutput = "[[outputs.kafka]]\nbrokers = [%q]\ntopic = %q\nqueue.max_events = 10000000\nqueue.max_bytes = '16GiB'\n"

// fill has the program queue the events while no broker is there.
func fill(b *testing.B, path string, atLeast int) (dir string, events int) {
	b.Helper()
	dir = b.TempDir()
	conf, says := confd(b, dir, fmt.Sprintf(kafkaOutput, "127.0.0.1:1", "none"), "alerting.repeat_interval = 0")
	say(b, says, alerts)
	must(b, os.MkdirAll(filepath.Join(conf, "p.net"), 0o755))
	must(b, os.WriteFile(filepath.Join(conf, "p.net/a.toml"), []byte("[[instances]]\n"), 0o600))
	program := run(b, path, conf)
	for deadline := time.Now().Add(10 * time.Minute); waiting(path, conf) < atLeast; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d events are queued; log:\n%s", waiting(path, conf), program.log.String())
		}
	}
	program.Process.Signal(syscall.SIGTERM)
	program.Wait()
	return dir, waiting(path, conf)
}

// waiting is how many events are in the queues of an agent.
func waiting(path, conf string) (n int) {
	out, _ := exec.Command(path, "queue", "-configs", conf, "--json").Output()
	var queues []struct{ Queued int }
	_ = json.Unmarshal(out, &queues) // where nothing answers, nothing is known to wait
	for _, queue := range queues {
		n += queue.Queued
	}
	return n
}

// drain runs the program on a copy of the full queue until the topic has all of it. The check that filled it
// is left out.
func drain(b *testing.B, path, full string, events int, address, topic string) measure.Figures {
	b.Helper()
	dir := b.TempDir()
	defer os.RemoveAll(dir) // gigabytes, a round
	must(b, os.CopyFS(dir, os.DirFS(full)))
	conf := filepath.Join(dir, "conf.d")
	must(b, os.WriteFile(filepath.Join(conf, "config.toml"), []byte(fmt.Sprintf(kafkaOutput, address, topic)), 0o600))
	client, done := client(address)
	defer done()
	begun := time.Now()
	program := &agent{Cmd: exec.Command(path, "-configs", conf, "-plugins", "net")}
	program.Stderr = &program.log
	must(b, program.Start())
	var first time.Time
	var early int64                                                                    // there when first looked at
	for deadline := begun.Add(10 * time.Minute); ; time.Sleep(10 * time.Millisecond) { // each look costs the broker something
		there := ends(b, client, topic)
		if there > 0 && first.IsZero() {
			first, early = time.Now(), there
		}
		if there >= int64(events) {
			took := time.Since(first)
			figures, err := measure.End(program.Cmd)
			must(b, err)
			figures["events/s"] = float64(there-early) / took.Seconds()
			return figures
		}
		if time.Now().After(deadline) {
			b.Fatalf("%d events are there; log:\n%s", there, program.log.String())
		}
	}
}

func client(address string) (*kafka.Client, func()) {
	transport := &kafka.Transport{MetadataTTL: time.Second}
	return &kafka.Client{Addr: kafka.TCP(address), Transport: transport, Timeout: time.Minute}, transport.CloseIdleConnections
}

// ends is how many records a topic has.
func ends(b testing.TB, client *kafka.Client, topic string) (n int64) {
	b.Helper()
	var all []kafka.OffsetRequest
	for p := range partitions {
		all = append(all, kafka.LastOffsetOf(p))
	}
	answer, err := client.ListOffsets(b.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: all}})
	if err != nil {
		return 0 // the topic is very new
	}
	for _, p := range answer.Topics[topic] {
		n += max(0, p.LastOffset)
	}
	return n
}

// bare writes events of the same size, in batches of the same size, with as many workers and the same
// acknowledgements, and does nothing else.
func bare(b *testing.B, address, topic string, events int) measure.Figures {
	b.Helper()
	client, done := client(address)
	defer done()
	_, err := produceAll(b.Context(), client, topic, 1, samples(0, 1)) // connected, as the program is when it begins
	must(b, err)
	all := samples(1, events-1)
	var next atomic.Int64
	var group sync.WaitGroup
	begun := time.Now()
	for range workers {
		group.Go(func() {
			for {
				from := int(next.Add(batch)) - batch
				if from >= len(all) {
					return
				}
				if _, err := produceAll(b.Context(), client, topic, partitions, all[from:min(from+batch, len(all))]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return measure.Figures{"events/s": float64(len(all)) / time.Since(begun).Seconds()}
}

func samples(from, n int) (all []*pipeline.Message) {
	for i := from; i < from+n; i++ {
		all = append(all, pipetest.Message(pipeline.Event{
			ID: fmt.Sprintf("%032x", i), AlertKey: fmt.Sprintf("%032x", i*7919), Description: "x",
			Labels: pipeline.L("check", "c", "from_plugin", "exec", "n", fmt.Sprint(i)),
		}))
	}
	return all
}

// produceAll sends messages to their partitions, one after the other.
func produceAll(ctx context.Context, client *kafka.Client, topic string, spread int, messages []*pipeline.Message) (n int, err error) {
	ids := make([]int, spread)
	for i := range ids {
		ids[i] = i
	}
	byPartition := make([][]kafka.Record, len(ids))
	for _, m := range messages {
		key := []byte(m.AlertKey)
		p := kafka.Murmur2Balancer{Consistent: true}.Balance(kafka.Message{Key: key}, ids...)
		byPartition[p] = append(byPartition[p], kafka.Record{Key: kafka.NewBytes(key), Value: kafka.NewBytes(m.JSON()), Headers: []kafka.Header{
			{Key: "Catpaw-Id", Value: []byte(m.ID())}, {Key: "Catpaw-Status", Value: []byte(m.Status.String())}, {Key: "content-type", Value: []byte("application/json")},
		}})
	}
	for p, records := range byPartition {
		if len(records) == 0 {
			continue
		}
		answer, err := client.Produce(ctx, &kafka.ProduceRequest{Topic: topic, Partition: p, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...)})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			return n, err
		}
		n += len(records)
	}
	return n, nil
}
