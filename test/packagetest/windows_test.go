package packagetest

import (
	"archive/zip"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// prng is the one function that Go needs of a library which Wine before version 9 lacks.
const prng = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T n) { return SystemFunction036(to, (ULONG)n); }
`

// windows is a Windows of its own, by Wine.
type windows struct {
	t       *testing.T
	env     []string
	program string
}

// newWindows unpacks the zip. It skips the test where Wine is missing, or lacks what Go needs.
func newWindows(t *testing.T) *windows {
	archive := one(t, "*-windows-amd64.zip")
	if _, err := exec.LookPath("wine"); err != nil {
		t.Skip("there is no wine")
	}
	dir := t.TempDir()
	w := &windows{t: t, program: filepath.Join(dir, "catpaw.exe")}
	w.env = append(os.Environ(), "WINEPREFIX="+filepath.Join(dir, "wine"), "WINEDEBUG=-all", "HOME="+dir)
	unpack(t, archive, "catpaw.exe", w.program)
	if out, err := w.run(dir, "version"); err != nil && strings.Contains(out, "bcryptprimitives.dll") {
		w.addLibrary(dir)
	}
	// It stays up: a Windows that boots again would start the service by itself.
	w.server("-k")
	w.server("-p")
	t.Cleanup(func() { w.server("-k") })
	return w
}

func (w *windows) server(args ...string) {
	program := "wineserver"
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/lib/wine/wineserver64" // where Debian has it
	}
	cmd := exec.Command(program, args...)
	cmd.Env = w.env
	_ = cmd.Run() // to end one that has ended already is a fault for it; and no pipes: it stays
}

func (w *windows) addLibrary(dir string) {
	const compiler = "x86_64-w64-mingw32-gcc"
	if _, err := exec.LookPath(compiler); err != nil {
		w.t.Skipf("this wine lacks bcryptprimitives.dll, and there is no %s to make it", compiler)
	}
	source := filepath.Join(dir, "prng.c")
	if err := os.WriteFile(source, []byte(prng), 0o644); err != nil {
		w.t.Fatal(err)
	}
	run(w.t, compiler, "-shared", "-o", filepath.Join(dir, "wine/drive_c/windows/system32/bcryptprimitives.dll"), source, "-ladvapi32")
}

func unpack(t *testing.T, archive, name, to string) {
	t.Helper()
	r, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, file := range r.File {
		if path.Base(file.Name) != name {
			continue
		}
		from, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if _, err := io.Copy(out, from); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("%s holds no %s", archive, name)
}

func (w *windows) run(dir string, args ...string) (string, error) {
	output, err := os.CreateTemp(w.t.TempDir(), "output") // no pipe: what Wine starts beside it would keep that open
	if err != nil {
		w.t.Fatal(err)
	}
	defer output.Close()
	cmd := exec.Command("wine", append([]string{w.program}, args...)...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = w.env, dir, output, output
	failed := cmd.Run()
	text, err := os.ReadFile(output.Name())
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), failed
}

// want runs the program and wants a text in what it prints, and whether it ends well.
func (w *windows) want(dir string, well bool, text string, args ...string) {
	w.t.Helper()
	out, err := w.run(dir, args...)
	if (err == nil) != well || !strings.Contains(out, text) {
		w.t.Fatalf("catpaw.exe %s: %v\n%s\nwant %q", strings.Join(args, " "), err, out, text)
	}
}

// writeInto writes files below a directory.
func writeInto(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestTheWindowsService is installed, started, looks at itself with search_win_service, is stopped and removed.
func TestTheWindowsService(t *testing.T) {
	t.Parallel()
	w := newWindows(t)
	dir := t.TempDir()
	w.want(dir, true, "windows/amd64", "version")
	w.want(dir, true, "conf.d is written", "init")
	w.want(dir, false, "install it with catpaw service install", "service", "start")
	w.want(dir, false, `unknown command "service status"`, "service", "status")
	w.want(dir, true, "nobody is told anything; add one in ", "service", "install") // all that ships is stdout
	w.want(dir, true, "the service catpaw is removed", "service", "uninstall")
	w.untilGone(dir)
	if err := os.RemoveAll(filepath.Join(dir, "conf.d")); err != nil {
		t.Fatal(err)
	}
	good := "[global]\ninterval = 1\n[[outputs.webhook]]\nurl = 'http://" + freeAddress(t) + "/'\n"
	writeInto(t, filepath.Join(dir, "conf.d"), map[string]string{
		"config.toml":        good,
		"p.procnum/own.toml": "[[instances]]\ncheck = 'catpaw runs'\nsearch_win_service = 'catpaw'\nalert_if_num_lt = 1\n",
	})
	if out, err := w.run(dir, "service", "install"); err != nil || out != "the service catpaw is installed; start it with catpaw service start\n" {
		t.Fatalf("install: %v\n%s", err, out)
	}
	w.want(dir, false, "exists", "service", "install")
	w.want(dir, false, "Warning: catpaw runs", "once") // it is there, and does not run
	w.wantNoStart(dir, good)
	w.want(dir, true, "the service catpaw runs", "service", "start")
	w.want(dir, true, "Ok", "once")
	w.want(dir, true, "the service catpaw is stopped", "service", "stop")
	log, err := os.ReadFile(filepath.Join(dir, "state.d", "catpaw.log"))
	if err != nil || !strings.Contains(string(log), "catpaw runs") || !strings.Contains(string(log), "catpaw stops") {
		t.Errorf("the log: %v\n%s", err, log)
	}
	w.want(dir, true, "the service catpaw is removed", "service", "uninstall")
	w.untilGone(dir)
}

// wantNoStart wants to hear why the service does not start with a faulty configuration, from wherever one asks; and
// mends it.
func (w *windows) wantNoStart(dir, good string) {
	w.t.Helper()
	writeInto(w.t, filepath.Join(dir, "conf.d"), map[string]string{"config.toml": good + "[globl]\n[lgo]\n"})
	out, err := w.run(w.t.TempDir(), "service", "start")
	for _, want := range []string{"ended at once; its log is ", `state.d\catpaw.log`, `config.toml:5: unknown section "globl"`, `config.toml:6: unknown section "lgo"`} {
		if err == nil || !strings.Contains(out, want) || strings.Contains(out, "runs") {
			w.t.Errorf("a start that must fail: %v\n%s\nwant %q", err, out, want)
		}
	}
	writeInto(w.t, filepath.Join(dir, "conf.d"), map[string]string{"config.toml": good})
}

// untilGone waits until the service manager has forgotten the service.
func (w *windows) untilGone(dir string) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		out, _ := w.run(dir, "service", "start")
		if strings.Contains(out, "install it with") {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the service is still there: %s", out)
		}
	}
}
