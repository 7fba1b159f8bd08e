package procnum

import "testing"

func TestStat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stat    string
		is      state
		threads bool
	}{
		"a process":                        {"7 (cat) S 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 99", alive, false},
		"a thread of the kernel":           {"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 9", kernel, false},
		"a zombie":                         {"7 (cat) Z 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 99", zombie, false},
		"one whose other threads live":     {"7 (cat) Z 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 99", zombie, true},
		"a Name that looks like the state": {"7 (x) Z (y) S 1 7 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 99", alive, false},
		"one that ended meanwhile":         {"", gone, false},
		"a line that breaks off":           {"7 (cat) S 1", gone, false},
	} {
		if is, threads := judge([]byte(c.stat)); is != c.is || threads != c.threads {
			t.Errorf("%s: %v, other threads %v", name, is, threads)
		}
	}
}

func TestFullName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ comm, args, exe, want string }{
		"a short Name is whole":               {"nginx", "/usr/sbin/nginx-debug", "/usr/sbin/nginx-debug", "nginx"},
		"completed from the command":          {"prometheus-node", "/usr/bin/prometheus-node-exporter --x", "", "prometheus-node-exporter"},
		"from a script's path":                {"unattended-upgr", "/usr/bin/python3 -u /usr/bin/unattended-upgrade-shutdown", "/usr/bin/python3.13", "unattended-upgrade-shutdown"},
		"from the executable":                 {"prometheus-node", "a title", "/usr/bin/prometheus-node-exporter", "prometheus-node-exporter"},
		"not from what begins otherwise":      {"fifteen-letters", "/usr/bin/other fifteen", "/usr/bin/other", "fifteen-letters"},
		"of just 15 characters":               {"fifteen-letters", "/usr/bin/fifteen-letters", "", "fifteen-letters"},
		"not from an argument far to the end": {"fifteen-letters", "a b c fifteen-letters-more", "", "fifteen-letters"},
		"a kernel worker is not cut":          {"kworker/R-kvfree_rcu_reclaim", "", "", "kworker/R-kvfree_rcu_reclaim"},
	} {
		if got := fullName(c.comm, c.args, c.exe); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
