package kafkatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// agent is the real program, running.
type agent struct {
	*exec.Cmd
	log bytes.Buffer
}

func binary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "catpaw")
	build := exec.Command("go", "build", "-o", path, "./cmd/catpaw")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// confd writes a configuration with one check, a command that prints what is in the file says.
func confd(t testing.TB, dir, outputs, alerting string) (conf, says string) {
	t.Helper()
	conf, says = filepath.Join(dir, "conf.d"), filepath.Join(dir, "says")
	must(t, os.MkdirAll(filepath.Join(conf, "p.exec"), 0o755))
	must(t, os.WriteFile(filepath.Join(conf, "config.toml"), []byte(outputs), 0o600))
	check := fmt.Sprintf("interval = 0.1\n[[instances]]\ncommands = [['cat', %q]]\n%s\n", says, alerting)
	must(t, os.WriteFile(filepath.Join(conf, "p.exec/a.toml"), []byte(check), 0o600))
	return conf, says
}

// say replaces what the check sees, at once.
func say(t testing.TB, path string, alerts int) {
	t.Helper()
	var all []string
	for i := range alerts {
		all = append(all, fmt.Sprintf(`{"event_status": "Warning", "labels": {"check": "c", "n": "%d"}, "description": "x"}`, i))
	}
	must(t, os.WriteFile(path+".new", []byte("["+strings.Join(all, ",")+"]"), 0o600))
	must(t, os.Rename(path+".new", path))
}

func run(t testing.TB, path, conf string) *agent {
	t.Helper()
	a := &agent{Cmd: exec.Command(path, "-configs", conf)}
	a.Stderr = &a.log
	must(t, a.Start())
	t.Cleanup(func() { a.Process.Kill(); a.Wait() })
	return a
}

// TestRealBrokerKilledUnderLoad kills the broker with SIGKILL, again and again, while the real program tells
// of lasting alerts, and the program too. The count on each notification is kept in one transaction with the
// event, so a topic that holds 1, 2, 3 … up to the recovery holds everything, in order.
func TestRealBrokerKilledUnderLoad(t *testing.T) {
	t.Parallel()
	jars, path := needApache(t), binary(t)
	const kills, alerts = 5, 50
	broker := newApache(t, jars, t.TempDir())
	defer func() { broker.kill() }()
	broker.createTopic(t, "catpaw-events", 6)
	conf, says := confd(t, t.TempDir(), fmt.Sprintf("[[outputs.kafka]]\n%s\ncompression = 'lz4'\ntimeout = '2s'\n", broker.on("PLAINTEXT")), "alerting.repeat_interval = 0")
	say(t, says, alerts)
	program := run(t, path, conf)
	for i := range kills {
		time.Sleep(time.Second + rand.N(time.Second)) // the random moment
		if i%2 == 0 {
			program.Process.Signal(syscall.SIGKILL)
			program.Wait()
		}
		broker.kill()
		if i%2 == 0 {
			program = run(t, path, conf)
		}
		broker.start(t, jars)
	}
	caughtUp(t, broker, program) // else what waited for more than a minute is told as one with the recovery
	say(t, says, 0)
	var all []record
	for deadline := time.Now().Add(3 * time.Minute); recovered(all) < alerts; time.Sleep(500 * time.Millisecond) {
		if all = broker.kcat(t, "catpaw-events"); time.Now().After(deadline) {
			t.Fatalf("%d of %d alerts recovered; log:\n%s", recovered(all), alerts, program.log.String())
		}
	}
	events, twice := judgeCounts(t, all)
	t.Logf("the broker was killed %d times, the agent %d: %d events, none lost, none out of order, %d of them twice", kills, (kills+1)/2, events, twice)
}

// caughtUp waits until what arrives is news.
func caughtUp(t testing.TB, broker *apache, program *agent) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		now, newest := time.Now().Unix(), map[string]int64{}
		for _, r := range broker.kcat(t, "catpaw-events") {
			var e told
			must(t, json.Unmarshal([]byte(r.value), &e))
			newest[r.key] = e.Time
		}
		behind := slices.ContainsFunc(slices.Collect(maps.Values(newest)), func(at int64) bool { return at < now-3 })
		if len(newest) > 0 && !behind {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the agent does not catch up; log:\n%s", program.log.String())
		}
	}
}

// told is an event as the topic has it.
type told struct {
	Time   int64  `json:"event_time"`
	Status string `json:"event_status"`
	Count  int    `json:"notify_count"`
}

func recovered(all []record) int {
	keys := map[string]bool{}
	for _, r := range all {
		if r.headers["Catpaw-Status"] == "Ok" {
			keys[r.key] = true
		}
	}
	return len(keys)
}

func judgeCounts(t testing.TB, all []record) (events, twice int) {
	t.Helper()
	seen, last := map[string]bool{}, map[string]int{}
	for _, r := range all {
		if seen[r.headers["Catpaw-Id"]] {
			twice++
			continue
		}
		seen[r.headers["Catpaw-Id"]] = true
		var e told
		must(t, json.Unmarshal([]byte(r.value), &e))
		want := last[r.key] + 1
		if e.Status == "Ok" {
			want = last[r.key] // the recovery carries the count of what it ends
		}
		if e.Count != want {
			t.Fatalf("alert %s: notification %d comes where %d is due", r.key, e.Count, want)
		}
		last[r.key] = e.Count
	}
	return len(seen), twice
}
