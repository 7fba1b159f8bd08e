package kafkatest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"catpaw/pipeline/pipetest"
)

// apache is a broker of Apache Kafka: a cluster of one, with KRaft.
type apache struct {
	dir       string
	authority *authority
	ports     map[string]int // of the listeners
	log       *os.File
	cmd       *exec.Cmd
	ended     chan struct{}
}

// What the broker knows of users. PLAIN's stand in its configuration, SCRAM's in its metadata.
const (
	user     = "catpaw"
	password = "s3cret-passw0rd"
)

const properties = `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[1]d
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=%[2]s,CONTROLLER://127.0.0.1:%[1]d
advertised.listeners=%[2]s
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,TLS:SSL,SAFE:SASL_SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location=%[3]s/server.pem
log.dirs=%[3]s/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=2097152
# A broker that was killed comes back once its old session has timed out.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
# It would create what nobody asked for.
auto.create.topics.enable=true
num.partitions=6
`

const loginProperties = `
listener.name.%[1]s.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%[2]s="%[3]s";
listener.name.%[1]s.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.%[1]s.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
`

// needApache skips the test where there is no broker to start, and says what is missing.
func needApache(t testing.TB) (jars string) {
	t.Helper()
	jars = os.Getenv("CATPAW_KAFKA")
	if found, _ := filepath.Glob(filepath.Join(jars, "kafka_*.jar")); jars == "" || len(found) == 0 {
		t.Skip("Apache Kafka is not there: `make test-kafka` fetches it, with mvn")
	}
	for _, program := range []string{"java", "kcat"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing", program)
		}
	}
	return jars
}

// newApache starts a broker in a directory of its own.
func newApache(t testing.TB, jars, dir string) *apache {
	t.Helper()
	a := &apache{dir: dir, authority: newAuthority(t), ports: map[string]int{}}
	a.authority.write(t, dir)
	var listeners []string
	names := []string{"PLAINTEXT", "LOGIN", "TLS", "SAFE", "CONTROLLER"}
	for i, port := range pipetest.FreePorts(t, len(names)) {
		name := names[i]
		a.ports[name] = port
		if name != "CONTROLLER" {
			listeners = append(listeners, fmt.Sprintf("%s://127.0.0.1:%d", name, a.ports[name]))
		}
	}
	text := fmt.Sprintf(properties, a.ports["CONTROLLER"], strings.Join(listeners, ","), dir) +
		fmt.Sprintf(loginProperties, "login", user, password) + fmt.Sprintf(loginProperties, "safe", user, password)
	must(t, os.WriteFile(filepath.Join(dir, "server.properties"), []byte(text), 0o600))
	var err error
	a.log, err = os.Create(filepath.Join(dir, "broker.log"))
	must(t, err)
	format := a.java(jars, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", filepath.Join(dir, "server.properties"),
		"--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", user, password),
		"--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", user, password))
	if err := format.Run(); err != nil {
		t.Fatalf("formatting: %v\n%s", err, a.logged())
	}
	a.start(t, jars)
	return a
}

func (a *apache) java(jars, class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xms256m", "-Xmx512m", "-cp", filepath.Join(jars, "*"), class}, args...)...)
	cmd.Stdout, cmd.Stderr = a.log, a.log
	return cmd
}

// start starts the broker, for the first time or again, and waits until it answers.
func (a *apache) start(t testing.TB, jars string) {
	t.Helper()
	a.cmd = a.java(jars, "kafka.Kafka", filepath.Join(a.dir, "server.properties"))
	must(t, a.cmd.Start())
	cmd, ended := a.cmd, make(chan struct{})
	a.ended = ended
	go func() { cmd.Wait(); close(ended) }()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if conn, err := net.Dial("tcp", a.address("PLAINTEXT")); err == nil {
			conn.Close()
			if a.metadata() == nil {
				return
			}
		}
		select {
		case <-ended:
			t.Fatalf("the broker ended:\n%s", a.logged())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broker does not answer:\n%s", a.logged())
		}
	}
}

func (a *apache) metadata() error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := (&kafka.Client{Addr: kafka.TCP(a.address("PLAINTEXT")), Transport: transport}).Metadata(ctx, &kafka.MetadataRequest{})
	if err == nil && len(answer.Brokers) == 0 {
		err = fmt.Errorf("no brokers yet")
	}
	return err
}

// kill is SIGKILL.
func (a *apache) kill() {
	a.cmd.Process.Kill()
	<-a.ended
}

func (a *apache) address(listener string) string {
	return fmt.Sprintf("127.0.0.1:%d", a.ports[listener])
}

// on is the option brokers, for one of the listeners.
func (a *apache) on(listener string) string {
	return fmt.Sprintf("brokers = [%q]", a.address(listener))
}

// logged is the end of the broker's log.
func (a *apache) logged() string {
	data, _ := os.ReadFile(a.log.Name())
	return string(data[max(0, len(data)-4000):])
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one is the broker that the tests share, once the first has asked for it: it takes seconds to start.
var one struct {
	sync.Mutex
	broker *apache
	dir    string
}

func sharedApache(t testing.TB) *apache {
	t.Helper()
	jars := needApache(t)
	one.Lock()
	defer one.Unlock()
	if one.broker == nil {
		dir, err := os.MkdirTemp("", "catpaw-kafka")
		must(t, err)
		one.dir = dir
		one.broker = newApache(t, jars, dir)
	}
	return one.broker
}

func stopShared() {
	if one.broker != nil {
		one.broker.kill()
	}
	os.RemoveAll(one.dir)
}

// kcat reads a topic to its end with kcat, an independent client, and librdkafka's own checks of what it
// reads.
func (a *apache) kcat(t testing.TB, topic string) (all []record) {
	t.Helper()
	var out []byte
	var err error
	for range 4 { // while a broker that was killed finds itself again, kcat now and then waits for ever
		if out, err = a.tryKcat(t, topic); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		pieces := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		if len(pieces) != 4 {
			t.Fatalf("kcat says %q", line)
		}
		r := record{topic: topic, key: pieces[1], value: pieces[3], headers: map[string]string{}}
		fmt.Sscan(pieces[0], &r.partition)
		for header := range strings.SplitSeq(pieces[2], ",") {
			name, value, _ := strings.Cut(header, "=")
			r.headers[name] = value
		}
		all = append(all, r)
	}
	return all
}

func (a *apache) tryKcat(t testing.TB, topic string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	cmd := exec.CommandContext(ctx, "kcat", "-b", a.address("PLAINTEXT"), "-C", "-t", topic, "-o", "beginning", "-e", "-q",
		"-X", "check.crcs=true", "-f", `%p\t%k\t%h\t%s\n`)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("kcat: %w: %s", err, errs.String())
	}
	return out, err
}
