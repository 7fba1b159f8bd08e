package kafkatest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// createTopic creates a topic, with options of the broker's, and waits until the broker leads it.
func (a *apache) createTopic(t testing.TB, name string, partitions int, options ...kafka.ConfigEntry) {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(a.address("PLAINTEXT")), Transport: transport}
	answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: name, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: options,
	}}})
	must(t, err)
	must(t, answer.Errors[name])
	var all []kafka.OffsetRequest
	for p := range partitions {
		all = append(all, kafka.LastOffsetOf(p))
	}
	for deadline := time.Now().Add(enough); ; time.Sleep(20 * time.Millisecond) {
		answer, err := client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: all}})
		if err == nil && len(answer.Topics[name]) == partitions && !slices.ContainsFunc(answer.Topics[name], func(p kafka.PartitionOffsets) bool { return p.Error != nil }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the topic %s is not led: %v", name, err)
		}
	}
}

// limit gives a client a quota, in bytes a second.
func (a *apache) limit(t testing.TB, client string, bytes float64) {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := (&kafka.Client{Addr: kafka.TCP(a.address("PLAINTEXT")), Transport: transport}).AlterClientQuotas(t.Context(), &kafka.AlterClientQuotasRequest{
		Entries: []kafka.AlterClientQuotaEntry{{
			Entities: []kafka.AlterClientQuotaEntity{{EntityType: "client-id", EntityName: client}},
			Ops:      []kafka.AlterClientQuotaOps{{Key: "producer_byte_rate", Value: bytes}},
		}},
	})
	must(t, err)
	for _, entry := range answer.Entries {
		must(t, entry.Error)
	}
}

func TestRealEveryCompressionIsReadByKcat(t *testing.T) {
	t.Parallel()
	a := sharedApache(t)
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, format := range []string{"json", "cloudevents"} {
			t.Run(compression+", "+format, func(t *testing.T) {
				t.Parallel()
				topic := compression + "-" + format
				o := open(t, a.on("PLAINTEXT"), "create_topic = true", fmt.Sprintf("topic = %q\ncompression = %q\nformat = %q", topic, compression, format))
				const alerts, rounds = 800, 3
				for n := range rounds {
					send(t, o, round(alerts, n))
				}
				got := a.kcat(t, topic)
				if twice := judge(t, got, alerts, rounds); twice > 0 {
					t.Errorf("%d came twice", twice)
				}
				first := got[0]
				if want := string(event(first.key, 0, "so it is").JSON()); first.value != want {
					t.Errorf("%s, want %s", first.value, want)
				}
				if is := first.headers["ce_type"] == "catpaw.alert.firing"; is != (format == "cloudevents") || first.headers["Catpaw-Status"] != "Warning" {
					t.Errorf("headers %v", first.headers)
				}
			})
		}
	}
}

// TestRealPartitionsAreThoseOfJavaClients: librdkafka has the Java partitioner under this name.
func TestRealPartitionsAreThoseOfJavaClients(t *testing.T) {
	t.Parallel()
	a := sharedApache(t)
	a.createTopic(t, "ours", 13)
	a.createTopic(t, "theirs", 13)
	batch := round(200, 0)
	send(t, open(t, a.on("PLAINTEXT"), "topic = 'ours'"), batch)
	var lines strings.Builder
	for _, m := range batch {
		fmt.Fprintf(&lines, "%s=x\n", m.AlertKey)
	}
	cmd := exec.CommandContext(t.Context(), "kcat", "-b", a.address("PLAINTEXT"), "-P", "-t", "theirs", "-K", "=", "-X", "topic.partitioner=murmur2_random")
	cmd.Stdin = strings.NewReader(lines.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kcat: %v: %s", err, out)
	}
	theirs := map[string]int{}
	for _, r := range a.kcat(t, "theirs") {
		theirs[r.key] = r.partition
	}
	if len(theirs) != len(batch) {
		t.Fatalf("kcat wrote %d keys", len(theirs))
	}
	for _, r := range a.kcat(t, "ours") {
		if theirs[r.key] != r.partition {
			t.Errorf("%s is in partition %d, others put it in %d", r.key, r.partition, theirs[r.key])
		}
	}
}

func TestRealAnOversizedRecordCostsOnlyItself(t *testing.T) {
	t.Parallel()
	a := sharedApache(t)
	a.createTopic(t, "small", 2, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "20000"})
	o := open(t, a.on("PLAINTEXT"), "topic = 'small'")
	batch := round(300, 0)
	batch[123] = event("key123", 0, strings.Repeat("too much ", 5000))
	for i, err := range try(t, o, batch, enough) {
		if bad := i == 123; bad != pipeline.IsRefused(err) || !bad && err != nil {
			t.Errorf("event %d: %v", i, err)
		} else if bad {
			pipetest.WantError(t, err, `"small"`, "max.message.bytes")
		}
	}
	if got := a.kcat(t, "small"); len(got) != 299 {
		t.Errorf("%d records are there", len(got))
	}
}

// TestRealATopicIsMissing, at a broker that would create it at the mere question.
func TestRealATopicIsMissing(t *testing.T) {
	t.Parallel()
	a := sharedApache(t)
	plain := open(t, a.on("PLAINTEXT"), "topic = 'missing'")
	for range 3 {
		wantAgain(t, try(t, plain, round(2, 0), enough), a.address("PLAINTEXT"), `no topic "missing"`, "create_topic = true")
	}
	send(t, open(t, a.on("PLAINTEXT"), "topic = 'missing'", "create_topic = true"), round(2, 0))
	send(t, plain, round(2, 1))
	judge(t, a.kcat(t, "missing"), 2, 2)
}

func TestRealLogins(t *testing.T) {
	t.Parallel()
	a := sharedApache(t)
	a.createTopic(t, "logins", 1)
	login := func(listener, mechanism, password string) []string {
		return []string{a.on(listener), "topic = 'logins'", fmt.Sprintf("sasl_mechanism = %q\nsasl_user = %q\nsasl_password = %q", mechanism, user, password)}
	}
	tls := fmt.Sprintf("tls = true\ntls_ca = %q", filepath.Join(a.dir, "ca.pem"))
	n := 0
	good := func(options ...string) {
		t.Helper()
		send(t, open(t, options...), round(3, n))
		n++
	}
	good(a.on("TLS"), "topic = 'logins'", tls)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		good(login("LOGIN", mechanism, password)...)
		good(append(login("SAFE", mechanism, password), tls)...)
		wrong := try(t, open(t, login("LOGIN", mechanism, "s3cret-wrong")...), round(1, 0), enough)
		wantAgain(t, wrong, a.address("LOGIN"), "are sasl_user and sasl_password right?")
		if strings.Contains(fmt.Sprint(wrong), "s3cret") {
			t.Errorf("the error tells the password: %v", wrong)
		}
		t.Log(wrong[0])
	}
	judge(t, a.kcat(t, "logins"), 3, n)
	for name, c := range map[string]struct {
		options []string
		says    string
	}{
		"a login is expected":        {[]string{a.on("LOGIN")}, "does it expect a login (sasl_mechanism)?"},
		"nobody logs in":             {login("PLAINTEXT", "PLAIN", password), "leave out sasl_mechanism"},
		"TLS is expected":            {[]string{a.on("TLS")}, "TLS"},
		"TLS is expected, for login": {login("SAFE", "PLAIN", password), "TLS"},
		"TLS is not spoken":          {[]string{a.on("PLAINTEXT"), tls}, "TLS"},
		"the authority is unknown":   {[]string{a.on("TLS"), "tls = true"}, "name its authority in tls_ca"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verdicts := try(t, open(t, c.options...), round(1, 0), enough)
			wantAgain(t, verdicts, "127.0.0.1:", c.says)
			t.Log(verdicts[0])
		})
	}
}

// TestRealQuota sends more than a broker lets us: it takes all, and is silent for a while.
func TestRealQuota(t *testing.T) {
	t.Parallel()
	a := sharedApache(t)
	a.createTopic(t, "quota", 1)
	a.limit(t, "slow", 100_000)
	o := open(t, a.on("PLAINTEXT"), "topic = 'quota'", "client_id = 'slow'")
	begun, waits, rounds := time.Now(), 0, 0
	for ; time.Since(begun) < 4*time.Second; rounds++ {
		for left := round(1000, rounds); len(left) > 0; {
			var again []*pipeline.Message
			var wait time.Duration
			for i, err := range try(t, o, left, 2*time.Second) {
				if err != nil {
					again, wait = append(again, left[i]), max(wait, pipeline.RetryDelay(err))
					pipetest.WantError(t, err, "quota")
				}
			}
			if left = again; wait > 0 {
				waits++
				time.Sleep(wait) // as long as the broker asked, as the sender does
			}
		}
	}
	if twice := judge(t, a.kcat(t, "quota"), 1000, rounds); twice > 0 {
		t.Errorf("%d came twice, since we spoke into the broker's silence", twice)
	}
	t.Logf("%d rounds, %d times told to wait", rounds, waits)
}
