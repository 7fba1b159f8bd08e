package migrate

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"catpaw/agent"
	"catpaw/internal/config"
)

var update = flag.Bool("update", false, "write testdata/new anew")

// TestTheDialectOf024 translates one of everything; testdata/new holds what comes of it, NOTES what is told.
func TestTheDialectOf024(t *testing.T) {
	t.Parallel()
	result, err := read("testdata/old", only("/etc/shadow"))
	if err != nil {
		t.Fatal(err)
	}
	got := maps.Clone(result.Files)
	got["NOTES"] = []byte(strings.Join(result.Notes, "\n") + "\n")
	const golden = "testdata/new"
	if *update {
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		if err := result.Write(golden); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(golden, "NOTES"), got["NOTES"], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		want, err := os.ReadFile(filepath.Join(golden, name))
		if err != nil || string(want) != string(got[name]) {
			t.Errorf("%s: %v; it is\n%s", name, err, got[name])
		}
	}
}

// TestWhatIsWrittenIsGood, and never written over anything.
func TestWhatIsWrittenIsGood(t *testing.T) {
	t.Parallel()
	result, err := Read("testdata/old")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "conf.d")
	if err := result.Write(dir); err != nil {
		t.Fatal(err)
	}
	c, err := agent.Source{Dir: dir, Vars: agent.HostVars()}.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Checks) != 13 || len(c.Outputs) != 4 {
		t.Errorf("%d checks, %d outputs", len(c.Checks), len(c.Outputs))
	}
	if err := result.Write(dir); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("written over what was there: %v", err)
	}
}

// TestTheShippedConfigurationStaysAsItIs: what is written for this catpaw, or for 0.8, needs no translation.
func TestTheShippedConfigurationStaysAsItIs(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"../../conf.d", "../testdata/original"} {
		result, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Notes) > 0 {
			t.Errorf("%s: %s", dir, strings.Join(result.Notes, "\n"))
		}
		to := filepath.Join(t.TempDir(), "conf.d")
		if err := result.Write(to); err != nil {
			t.Fatal(err)
		}
		vars := config.Vars{Named: map[string]string{"hostname": "h", "ip": "1"}, Lookup: func(string) (string, bool) { return "", false }}
		before, err := agent.Source{Dir: dir, Vars: vars}.Load()
		if err != nil {
			t.Fatal(err)
		}
		after, err := agent.Source{Dir: to, Vars: vars}.Load()
		if err != nil || after.Hash() != before.Hash() {
			t.Errorf("%s: it is another configuration: %v", dir, err)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	empty, broken := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "config.toml"), []byte("x = ["), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{empty: "there is no configuration", broken: "config.toml:1", filepath.Join(empty, "no"): "there is no configuration"} {
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", dir, err, want)
		}
	}
}
