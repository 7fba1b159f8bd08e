package journaltail

import (
	"slices"
	"testing"
	"time"
)

func TestTheFormsOfALine(t *testing.T) {
	t.Parallel()
	at := start.UnixMicro()
	for _, c := range []struct {
		name string
		e    entry
		want []string
	}{
		{"the line of journalctl and the message", entry{identifier: []byte("sshd"), pid: []byte("7"), host: []byte("h"), message: []byte("m")},
			[]string{"Nov 23 09:00:00 h sshd[7]: m", "m"}},
		{"without identifier the process is named", entry{comm: []byte("ssh"), syslogPID: []byte("8"), host: []byte("h"), message: []byte("m")},
			[]string{"Nov 23 09:00:00 h ssh[8]: m", "m"}},
		{"the kernel has no process id", entry{identifier: []byte("kernel"), host: []byte("h"), message: []byte("m")},
			[]string{"Nov 23 09:00:00 h kernel: m", "m"}},
		{"nothing is known", entry{message: []byte("m")}, []string{"Nov 23 09:00:00 unknown: m", "m"}},
		{"several lines, each by itself too", entry{identifier: []byte("x"), message: []byte("one\ntwo\n")},
			[]string{"Nov 23 09:00:00 x: one\ntwo\n", "one\ntwo\n", "Nov 23 09:00:00 x: one", "one", "two"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.e.time = at
			f := forms{zone: time.UTC}
			if got := f.of(&c.e); !slices.Equal(got, c.want) {
				t.Errorf("%q", got)
			}
			c.e.time += 1e6
			if got := f.of(&c.e); got[0][:15] != "Nov 23 09:00:01" {
				t.Errorf("a second later: %q", got)
			}
		})
	}
}

func TestWhoseLinesAreTheAgentsOwn(t *testing.T) {
	t.Parallel()
	me := identity{names: []string{"catpaw", "paw"}, exe: "/usr/bin/paw", pid: "7", comm: "paw"}
	for _, c := range []struct {
		name string
		e    entry
		want bool
	}{
		{"by the identifier", entry{identifier: []byte("catpaw")}, true},
		{"by the program's own name", entry{identifier: []byte("paw")}, true},
		{"by the executable, whatever the unit calls it", entry{identifier: []byte("monitoring"), exe: []byte("/usr/bin/paw")}, true},
		{"by the process", entry{identifier: []byte("monitoring"), pid: []byte("7"), comm: []byte("paw")}, true},
		{"not by the process id alone: outside a container it is another's", entry{identifier: []byte("systemd"), pid: []byte("7"), comm: []byte("systemd")}, false},
		{"what a script of the agent logs is not its own", entry{identifier: []byte("backup"), unit: []byte("catpaw.service"), pid: []byte("8"), comm: []byte("logger"), exe: []byte("/usr/bin/logger")}, false},
		{"what systemd says of it is not its own", entry{identifier: []byte("systemd"), pid: []byte("1"), comm: []byte("systemd")}, false},
		{"a line without anything", entry{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := me.wrote(&c.e); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
	if nobody := (identity{}); nobody.wrote(&entry{}) {
		// an agent that knows nothing of itself
		t.Error("a line without anything is the agent's own")
	}
}
