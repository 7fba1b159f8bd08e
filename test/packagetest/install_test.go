package packagetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func wantLine(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
		t.Errorf("%s is missing in\n%s", pattern, text)
	}
}

// apart runs this test binary with root's rights on a copy of this system that is thrown away: an overlay in a mount
// namespace. So packages can be installed and nothing of it stays.
const apart = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/new" "$1/work" "$1/all"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/new,workdir=$1/work" "$1/all"
mount -t proc proc "$1/all/proc"
mount --bind /dev "$1/all/dev"
mkdir "$1/all/opt/catpaw-test"
cp "$2" "$3" "$4" "$1/all/opt/catpaw-test/"
exec chroot "$1/all" /usr/bin/env CATPAW_INSIDE=1 /opt/catpaw-test/"${2##*/}" -test.v -test.run '^TestInside$'`

// rpmArch is what rpm calls this machine.
var rpmArch = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]

// TestThePackagesInstall as dpkg does it, run as systemd would start them, are upgraded, removed and purged; as rpm does
// it, too.
func TestThePackagesInstall(t *testing.T) {
	t.Parallel()
	deb, rpm := one(t, "*_"+runtime.GOARCH+".deb"), one(t, "*."+rpmArch+".rpm")
	if os.Getuid() != 0 {
		t.Skip("only root can install")
	}
	for _, need := range []string{"dpkg", "unshare", "setpriv"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("there is no %s", need)
		}
	}
	dir := t.TempDir()
	if err := exec.Command("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", dir).Run(); err != nil {
		t.Skipf("nothing may be mounted here: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", apart, "sh", dir, self, deb, rpm).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("inside: %v", err)
	}
}

// TestInside is what TestThePackagesInstall runs in its copy of the system.
func TestInside(t *testing.T) {
	if os.Getenv("CATPAW_INSIDE") == "" {
		t.Skip("it belongs to TestThePackagesInstall")
	}
	debs, err := filepath.Glob("/opt/catpaw-test/*.deb")
	if err != nil || len(debs) != 1 {
		t.Fatal(debs, err)
	}
	run(t, "dpkg", "-i", debs[0])
	t.Run("files", wantFiles)
	t.Run("unit", wantUnit)
	t.Run("manual", wantManual)
	t.Run("as systemd starts it", wantStart)
	t.Run("somebody else asks", wantUnseen)
	t.Run("upgrade", func(t *testing.T) { wantUpgrade(t, debs[0]) })
	t.Run("remove and purge", wantGone)
	t.Run("rpm", wantRPM)
}

// wantUnseen wants to hear that one may not see the configuration, where one may not.
func wantUnseen(t *testing.T) {
	for _, command := range []string{"status", "queue", "check", "silence list"} {
		cmd := exec.Command("setpriv", append([]string{"--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/catpaw"}, strings.Fields(command)...)...)
		cmd.Dir = "/"
		out, err := cmd.CombinedOutput()
		if want := "/etc/catpaw/conf.d: cannot read the configuration directory: permission denied"; err == nil || !strings.Contains(string(out), want) {
			t.Errorf("catpaw %s as nobody: %v\n%s\nwant %s", command, err, out, want)
		}
	}
}

// enabled is the link that systemctl enable makes. No systemd runs here, as in a container.
const enabled = "/etc/systemd/system/multi-user.target.wants/catpaw.service"

func enable(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(enabled), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/lib/systemd/system/catpaw.service", enabled); err != nil {
		t.Fatal(err)
	}
}

func wantEnabled(t *testing.T, want bool) {
	t.Helper()
	if _, err := os.Lstat(enabled); (err == nil) != want {
		t.Errorf("it is enabled: %v", !want)
	}
}

// wantRPM installs the rpm where the deb was, upgrades and removes it.
func wantRPM(t *testing.T) {
	rpms, err := filepath.Glob("/opt/catpaw-test/*.rpm")
	if err != nil || len(rpms) != 1 {
		t.Fatal(rpms, err)
	}
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Skip("there is no rpm to install it")
	}
	rpm := func(args ...string) { // this system's own packages are not rpm's
		run(t, "rpm", append([]string{"--dbpath", "/var/lib/catpaw-test", "--nodeps"}, args...)...)
	}
	const dir, state = "/etc/catpaw/conf.d/", "/var/lib/catpaw/catpaw.db"
	rpm("-i", rpms[0])
	for name, text := range map[string]string{dir + "config.toml": mine, dir + "p.net/mine.toml": mine, state: ""} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	enable(t)
	rpm("-U", "--force", rpms[0])
	wantEnabled(t, true)
	if text, err := os.ReadFile(dir + "config.toml"); err != nil || string(text) != mine {
		t.Errorf("upgraded: the configuration is %q, %v", text, err)
	}
	rpm("-e", "catpaw")
	wantEnabled(t, false)
	wantThere(t, "removed by rpm", map[string]bool{ // as docs/operating.md says
		"/usr/bin/catpaw": false, dir + "config.toml": false, dir + "config.toml.rpmsave": true, dir + "p.net/mine.toml": true,
		dir + "p.http/http.toml": false, state: true,
	})
	run(t, "getent", "passwd", "catpaw")
}

// wantThere wants files to be there, or not.
func wantThere(t *testing.T, when string, files map[string]bool) {
	t.Helper()
	for name, want := range files {
		if _, err := os.Lstat(name); (err == nil) != want {
			t.Errorf("%s: %s is there: %v", when, name, err == nil)
		}
	}
}

func wantFiles(t *testing.T) {
	wantLine(t, run(t, "getent", "passwd", "catpaw"), `^catpaw:.*:/var/lib/catpaw:/usr/sbin/nologin$`)
	for name, want := range map[string]string{
		"/usr/bin/catpaw": "root root 755", "/etc/catpaw": "root catpaw 750", "/etc/catpaw/conf.d": "root catpaw 750",
		"/etc/catpaw/conf.d/config.toml": "root catpaw 640", "/etc/catpaw/conf.d/p.http/http.toml": "root catpaw 640", "/var/lib/catpaw": "catpaw catpaw 700",
		"/usr/lib/systemd/system/catpaw.service": "root root 644", "/usr/lib/sysctl.d/50-catpaw.conf": "root root 644",
		"/usr/share/doc/catpaw/copyright": "root root 644", "/usr/share/catpaw/schema/p.http.json": "root root 644", "/usr/share/doc/catpaw/more-rights.conf": "root root 644",
	} {
		if got := strings.TrimSpace(run(t, "stat", "-c", "%U %G %a", name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	// The configuration is the user's: kept on upgrades, and on removal.
	conffiles := run(t, "dpkg-query", "-W", "-f", "${Conffiles}", "catpaw")
	wantLine(t, conffiles, "^ /etc/catpaw/conf.d/config.toml ")
	if strings.Contains(conffiles, "samples.go") {
		t.Error("a Go file is installed as configuration")
	}
	run(t, "setpriv", "--reuid=catpaw", "--regid=catpaw", "--init-groups", "/usr/bin/catpaw", "check", "--configs", "/etc/catpaw/conf.d")
}

// drop-ins for readers: the samples must be good, too.
const dropIn = "/etc/systemd/system/catpaw.service.d/more-rights.conf"

func wantUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze")
	}
	const unit = "/usr/lib/systemd/system/catpaw.service"
	if out := run(t, "systemd-analyze", "verify", unit); strings.Contains(out, "catpaw") {
		t.Errorf("verify: %s", out)
	}
	security := run(t, "systemd-analyze", "security", "--offline=true", unit)
	found := regexp.MustCompile(`exposure level for catpaw.service: ([0-9.]+)`).FindStringSubmatch(security)
	if len(found) == 0 {
		t.Fatalf("no score:\n%s", security)
	}
	if score, err := strconv.ParseFloat(found[1], 64); err != nil || score > 3.0 {
		t.Errorf("its exposure is %s, at most 3.0 is wanted", found[1])
	}
	if err := os.MkdirAll(filepath.Dir(dropIn), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/usr/share/doc/catpaw/more-rights.conf")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^#([A-Z])`).ReplaceAll(text, []byte("$1"))
	if err := os.WriteFile(dropIn, all, 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(dropIn))
	if out := run(t, "systemd-analyze", "verify", unit); strings.Contains(out, "catpaw") {
		t.Errorf("verify with all of more-rights.conf: %s", out)
	}
}

func wantManual(t *testing.T) {
	for _, page := range []string{"catpaw.1.gz", "catpaw-status.1.gz", "catpaw-silence-add.1.gz"} {
		if _, err := os.Stat("/usr/share/man/man1/" + page); err != nil {
			t.Error(err)
		}
	}
	for shell, try := range map[string][]string{
		"bash": {"-c", ". /usr/share/bash-completion/completions/catpaw && complete -p catpaw"},
		"zsh":  {"-c", "autoload -U compinit && compinit -u -D && (( $+_comps[catpaw] ))"},
		"fish": {"-c", "complete -C 'catpaw sil' | grep -q silence"},
	} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("there is no %s", shell)
			continue
		}
		run(t, shell, try...)
	}
}

// options are those of [Service].
func options(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("/usr/lib/systemd/system/catpaw.service")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = value
		}
	}
	return found
}

// asUnit is a command as the unit runs it: its user, its capabilities, its directory.
func asUnit(unit map[string]string, command string) *exec.Cmd {
	args := []string{
		"--reuid=" + unit["User"], "--regid=" + unit["Group"], "--init-groups", "--no-new-privs",
		"--bounding-set=-all,+net_raw", "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw",
	}
	cmd := exec.Command("setpriv", append(args, strings.Fields(command)...)...)
	cmd.Dir = unit["WorkingDirectory"]
	return cmd
}

func wantStart(t *testing.T) {
	unit := options(t)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/run/catpaw-test-notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	if err := os.Chmod("/run/catpaw-test-notify", 0o777); err != nil {
		t.Fatal(err)
	}
	if out, err := asUnit(unit, unit["ExecStartPre"]).CombinedOutput(); err != nil {
		t.Fatalf("ExecStartPre: %v\n%s", err, out)
	}
	agent := asUnit(unit, unit["ExecStart"])
	agent.Env = append(os.Environ(), "NOTIFY_SOCKET=/run/catpaw-test-notify", "WATCHDOG_USEC=600000")
	events, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	agent.Stderr = &log
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(events); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	heard := func(want string) {
		t.Helper()
		_ = notify.SetReadDeadline(time.Now().Add(30 * time.Second))
		buffer := make([]byte, 4096)
		for {
			n, err := notify.Read(buffer)
			if err != nil {
				t.Fatalf("systemd never hears %s: %v\n%s", want, err, log.String())
			}
			if strings.Contains(string(buffer[:n]), want) {
				return
			}
		}
	}
	heard("READY=1")
	heard("WATCHDOG=1")
	if line := <-lines; !strings.Contains(line, "catpaw is alive") {
		t.Errorf("the shipped configuration tells %s", line)
	}
	for _, command := range []string{unit["ExecReload"], "/usr/bin/catpaw status"} {
		if out, err := asUnit(unit, command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	if status := run(t, "sh", "-c", "cd / && catpaw status"); !strings.Contains(status, "state /var/lib/catpaw, all of it on disk") {
		t.Errorf("root asks, and sees\n%s", status)
	}
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	heard("STOPPING=1")
	if _, err := io.Copy(io.Discard, events); err == nil {
		for range lines {
		}
	}
	if err := agent.Wait(); err != nil {
		t.Errorf("it ends with %v\n%s", err, log.String())
	}
}

const mine = "# mine\n"

func wantUpgrade(t *testing.T, deb string) {
	const config, db = "/etc/catpaw/conf.d/config.toml", "/var/lib/catpaw/catpaw.db"
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append([]byte(mine), text...), 0o640); err != nil {
		t.Fatal(err)
	}
	enable(t)
	before := run(t, "sha256sum", db)
	run(t, "dpkg", "-i", "--force-confdef", deb)
	wantEnabled(t, true)
	if after := run(t, "sha256sum", db); after != before {
		t.Error("the state is not that of before")
	}
	if text, err := os.ReadFile(config); err != nil || !strings.HasPrefix(string(text), mine) {
		t.Errorf("the configuration is not that of before: %v", err)
	}
}

func wantGone(t *testing.T) {
	run(t, "dpkg", "--remove", "catpaw")
	wantEnabled(t, false)
	wantThere(t, "removed", map[string]bool{"/usr/bin/catpaw": false, "/etc/catpaw/conf.d/config.toml": true, "/etc/catpaw/conf.d/p.http/http.toml": true, "/var/lib/catpaw/catpaw.db": true})
	run(t, "dpkg", "--purge", "catpaw")
	wantThere(t, "purged", map[string]bool{"/etc/catpaw": false, "/var/lib/catpaw": false, "/usr/share/doc/catpaw": false, "/usr/lib/sysctl.d/50-catpaw.conf": false})
	if err := exec.Command("getent", "passwd", "catpaw").Run(); err == nil {
		t.Error("purged: the user is still there")
	}
	if out, err := exec.Command("getent", "group", "catpaw").Output(); err == nil {
		t.Errorf("purged: the group is still there: %s", out)
	}
	fmt.Println("all gone")
}
