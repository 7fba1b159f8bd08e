//go:build linux

package journaltail

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// remote makes journal files. Debian: apt-get install systemd-journal-remote.
const remote = "/lib/systemd/systemd-journal-remote"

// directory makes an empty directory for journals, and skips the test where they cannot be made or read.
func directory(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("there is no journalctl here: apt-get install systemd")
	}
	if _, err := os.Stat(remote); err != nil {
		t.Skip("there is no systemd-journal-remote here to make journals with: apt-get install systemd-journal-remote")
	}
	return t.TempDir()
}

// written is an entry to be written, its fields as "NAME=value". Time is when, after start.
type written struct {
	at     time.Duration
	fields []string
}

// line is an entry of one service with a message.
func entryOf(at time.Duration, message string, more ...string) written {
	return written{at, append([]string{"MESSAGE=" + message, "SYSLOG_IDENTIFIER=app", "_SYSTEMD_UNIT=app.service", "_PID=77", "_HOSTNAME=web1"}, more...)}
}

// export writes entries in the journal's export format.
func export(b *bytes.Buffer, entries ...written) {
	for _, e := range entries {
		at := start.Add(e.at).UnixMicro()
		fmt.Fprintf(b, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n", at, at-1.7e15)
		for _, field := range e.fields {
			name, value, _ := strings.Cut(field, "=")
			if strings.Contains(value, "\n") || !utf8.ValidString(value) {
				b.WriteString(name + "\n")
				binary.Write(b, binary.LittleEndian, uint64(len(value)))
				b.WriteString(value + "\n")
				continue
			}
			b.WriteString(field + "\n")
		}
		b.WriteString("\n")
	}
}

// write appends entries to the journal file dir/name.journal.
func write(t testing.TB, dir, name string, entries ...written) {
	t.Helper()
	var b bytes.Buffer
	export(&b, entries...)
	cmd := exec.Command(remote, "-o", filepath.Join(dir, name+".journal"), "-")
	cmd.Stdin = &b
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
