package kafkatest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func fakeCluster(t testing.TB, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(6, "catpaw-events")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// brokers is the option of that name.
func brokers(c *kfake.Cluster) string {
	return "brokers = ['" + strings.Join(c.ListenAddrs(), "', '") + "']\n"
}

// consume reads so many records of a topic with franz-go, from the beginning.
func consume(t testing.TB, c *kfake.Cluster, topic string, n int) (all []record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(all), n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			one := record{r.Topic, int(r.Partition), string(r.Key), string(r.Value), map[string]string{}}
			for _, header := range r.Headers {
				one.headers[header.Key] = string(header.Value)
			}
			all = append(all, one)
		})
	}
	return all
}

func TestEveryCompressionIsRead(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, format := range []string{"json", "cloudevents"} {
			topic := compression + "." + format
			o := open(t, brokers(c), "create_topic = true", fmt.Sprintf("topic = %q\ncompression = %q\nformat = %q", topic, compression, format))
			for n := range 3 {
				send(t, o, round(500, n))
			}
			got := consume(t, c, topic, 1500)
			judge(t, got, 500, 3)
			first := got[0]
			if want := string(event(first.key, 0, "so it is").JSON()); first.value != want {
				t.Errorf("%s: %s, want %s", topic, first.value, want)
			}
			if is := first.headers["ce_type"] == "catpaw.alert.firing"; is != (format == "cloudevents") || first.headers["content-type"] != "application/json" {
				t.Errorf("%s: headers %v", topic, first.headers)
			}
		}
	}
}

// TestPartitionsAreThoseThatOthersChoose: franz-go's default partitioner is that of Java clients.
func TestPartitionsAreThoseThatOthersChoose(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t, kfake.SeedTopics(17, "ours", "theirs"))
	send(t, open(t, brokers(c), "topic = 'ours'"), round(300, 0))
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("theirs"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	theirs := map[string]int{}
	for _, m := range round(300, 0) {
		r, err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte(m.AlertKey), Value: m.JSON()}).First()
		if err != nil {
			t.Fatal(err)
		}
		theirs[m.AlertKey] = int(r.Partition)
	}
	for _, r := range consume(t, c, "ours", 300) {
		if r.partition != theirs[r.key] {
			t.Errorf("%s is in partition %d, others put it in %d", r.key, r.partition, theirs[r.key])
		}
	}
}

// TestLeadersThatMoveUnderLoad: a broker that leads no more answers NOT_LEADER, without any error of the
// exchange.
func TestLeadersThatMoveUnderLoad(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	const alerts, rounds = 60, 40
	o := open(t, brokers(c))
	failures := 0
	for n := range rounds {
		if n%4 == 1 {
			for p := range int32(6) {
				if err := c.MoveTopicPartition("catpaw-events", p, rand.Int32N(3)); err != nil {
					t.Fatal(err)
				}
			}
		}
		failures += insist(t, o, round(alerts, n))
	}
	if failures == 0 {
		t.Error("no leader moved, it seems")
	}
	twice := judge(t, consume(t, c, "catpaw-events", alerts*rounds), alerts, rounds)
	t.Logf("%d events had to be tried again, %d came twice", failures, twice)
}

func TestANodeThatLeavesAndAnotherThatComes(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	o := open(t, brokers(c))
	const alerts = 60
	send(t, o, round(alerts, 0))
	if err := c.RemoveNode(1); err != nil {
		t.Fatal(err)
	}
	insist(t, o, round(alerts, 1))
	if _, _, err := c.AddNode(9, 0); err != nil {
		t.Fatal(err)
	}
	c.ShufflePartitionLeaders()
	insist(t, o, round(alerts, 2))
	judge(t, consume(t, c, "catpaw-events", 3*alerts), alerts, 3)
}

func TestAnOversizedRecordCostsOnlyItself(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "30000"}))
	for _, compression := range []string{"none", "zstd"} {
		batch := round(200, 0)
		topic := "size-" + compression
		batch[77] = event("key77", 0, noise(60_000))
		o := open(t, brokers(c), "create_topic = true", fmt.Sprintf("compression = %q\ntopic = %q", compression, topic))
		for i, err := range try(t, o, batch, enough) {
			if bad := i == 77; bad != pipeline.IsRefused(err) || !bad && err != nil {
				t.Errorf("%s: event %d: %v", compression, i, err)
			} else if bad {
				pipetest.WantError(t, err, "max.message.bytes")
			}
		}
		seen := map[string]bool{}
		for _, r := range consume(t, c, topic, 199) {
			if seen[r.key] {
				t.Errorf("%s comes twice", r.key)
			}
			seen[r.key] = true
		}
	}
}

// noise is text that does not compress.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(' ' + 3 + random.IntN(90))
	}
	return strings.ReplaceAll(string(b), `\`, "x")
}

func TestABrokerThatThrottlesIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	const silence = 400 * time.Millisecond
	var first, next atomic.Int64
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if !first.CompareAndSwap(0, time.Now().UnixNano()) {
			next.CompareAndSwap(0, time.Now().UnixNano())
			return nil, nil, false
		}
		c.KeepControl()
		answer := r.ResponseKind().(*kmsg.ProduceResponse)
		answer.ThrottleMillis = int32(silence.Milliseconds())
		for _, topic := range r.(*kmsg.ProduceRequest).Topics {
			answer.Topics = append(answer.Topics, kmsg.ProduceResponseTopic{Topic: topic.Topic, Partitions: []kmsg.ProduceResponseTopicPartition{{Partition: topic.Partitions[0].Partition}}})
		}
		return answer, nil, true
	})
	o := open(t, brokers(c))
	send(t, o, round(1, 0))
	send(t, o, round(1, 1))
	if gap := time.Duration(next.Load() - first.Load()); gap < silence {
		t.Errorf("the next request came after %v, not %v", gap, silence)
	}
}

func TestABrokerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.Metadata, kmsg.ApiVersions} {
		var mute atomic.Bool
		mute.Store(true)
		c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return nil, nil, mute.Load()
		})
		o := open(t, brokers(c))
		begun := time.Now()
		wantAgain(t, try(t, o, round(3, 0), 300*time.Millisecond), "did not answer in time")
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%v: Write took %v", key, took)
		}
		mute.Store(false)
		send(t, o, round(3, 0))
	}
}

func TestABrokerThatClosesInsteadOfAnswering(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	o := open(t, brokers(c))
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, fmt.Errorf("hang up"), true
	})
	wantAgain(t, try(t, o, round(1, 0), enough), "closed the connection", "127.0.0.1:")
	send(t, o, round(3, 0))
}

func TestATopicIsMissing(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t, kfake.AllowAutoTopicCreation())
	o := open(t, brokers(c), "topic = 'missing'")
	for range 3 { // brokers that would create it are not asked to
		wantAgain(t, try(t, o, round(2, 0), enough), `no topic "missing"`, "create_topic = true")
	}
	send(t, open(t, brokers(c), "topic = 'missing'\ncreate_topic = true"), round(2, 0))
	send(t, o, round(2, 1))
	judge(t, consume(t, c, "missing", 4), 2, 2)
}

func TestTopicsByTemplate(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t)
	o := open(t, brokers(c), "topic = 'alerts.{{.AlertKey}}'\ncreate_topic = true")
	for n := range 3 {
		send(t, o, round(40, n))
	}
	for i := range 40 {
		if got := consume(t, c, fmt.Sprintf("alerts.key%d", i), 3); len(got) != 3 {
			t.Errorf("%d", len(got))
		}
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "plain", "s3cret-one"),
		kfake.Superuser("SCRAM-SHA-256", "small", "s3cret-two"), kfake.Superuser("SCRAM-SHA-512", "large", "s3cret-three"))
	login := func(mechanism, user, password string) string {
		return fmt.Sprintf("%s\nsasl_mechanism = %q\nsasl_user = %q\nsasl_password = %q", brokers(c), mechanism, user, password)
	}
	send(t, open(t, login("PLAIN", "plain", "s3cret-one")), round(5, 0))
	send(t, open(t, login("SCRAM-SHA-256", "small", "s3cret-two")), round(5, 0))
	send(t, open(t, login("SCRAM-SHA-512", "large", "s3cret-three")), round(5, 0))
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		wrong := try(t, open(t, login(mechanism, "plain", "s3cret-wrong")), round(2, 0), enough)
		wantAgain(t, wrong, "are sasl_user and sasl_password right?")
		if strings.Contains(fmt.Sprint(wrong), "s3cret") {
			t.Errorf("the error tells the password: %v", wrong)
		}
	}
	wantAgain(t, try(t, open(t, brokers(c)), round(2, 0), enough), "sasl_mechanism")
}

func TestWhoMayNotWrite(t *testing.T) {
	t.Parallel()
	c := fakeCluster(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "root", "root"), kfake.User("PLAIN", "reader", "reader-1",
		kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: "catpaw-events", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe, Allow: true}))
	o := open(t, brokers(c), "sasl_mechanism = 'PLAIN'\nsasl_user = 'reader'\nsasl_password = 'reader-1'")
	wantAgain(t, try(t, o, round(2, 0), enough), "allow our user WRITE")
}
