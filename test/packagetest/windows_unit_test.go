package packagetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestWhatIsForWindowsOnly runs those tests of the command that are built for Windows only, or differ there.
func TestWhatIsForWindowsOnly(t *testing.T) {
	t.Parallel()
	w := newWindows(t)
	dir := t.TempDir()
	w.program = filepath.Join(dir, "catpaw.test.exe")
	build := exec.Command("go", "test", "-c", "-o", w.program, "./cmd/catpaw")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := w.run(dir, "-test.v", "-test.run", "Service|TestAWordThatIsNoSubcommand")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantLine(t, out, "^--- PASS: TestTheServiceComesBack")
	wantLine(t, out, "PASS: .*/service_nonsense")
}
