package packagetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// history is a repository with nothing in it but the script that tells the version.
type history struct {
	t       *testing.T
	dir     string
	commits int
}

func newHistory(t *testing.T) *history {
	t.Helper()
	h := &history{t: t, dir: t.TempDir()}
	script, err := os.ReadFile("../../packaging/version.sh")
	if err != nil {
		t.Fatal(err)
	}
	writeInto(t, h.dir, map[string]string{"packaging/version.sh": string(script), "file": ""})
	h.run(nil, "git", "init", "-q")
	h.run(nil, "git", "add", ".")
	return h
}

func (h *history) run(env []string, name string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), append([]string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.org", fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", 1734345000+h.commits),
	}, env...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (h *history) commit(n int) {
	h.t.Helper()
	for range n {
		h.commits++
		h.run(nil, "git", "commit", "-q", "--allow-empty", "-m", "one")
	}
}

func (h *history) version(env ...string) string {
	h.t.Helper()
	return h.run(env, "sh", "packaging/version.sh")
}

// wantAnywhere wants the same version whatever the builder has set.
func (h *history) wantAnywhere(version string) {
	h.t.Helper()
	for _, env := range [][]string{
		{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.abbrev", "GIT_CONFIG_VALUE_0=20"}, {"TZ=Asia/Kathmandu"}, {"LC_ALL=C.UTF-8"},
		{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=log.showSignature", "GIT_CONFIG_VALUE_0=true"},
	} {
		if got := h.version(env...); got != version {
			h.t.Errorf("with %s the version is %s, not %s", env, got, version)
		}
	}
}

// TestALaterVersionIsNewer as dpkg and rpm sort the packages that nfpm makes of it.
func TestALaterVersionIsNewer(t *testing.T) {
	t.Parallel()
	dist(t) // it belongs to make test-package
	h := newHistory(t)
	var versions []string
	for _, step := range []struct {
		name    string
		commits int
		tag     string
		pattern string
	}{
		{"before the first release", 1, "", `^1\.0\.0-dev\.20241216103001$`},
		{"before it, a commit later", 1, "", `^1\.0\.0-dev\.20241216103002$`},
		{"the first release", 0, "v1.0.0", `^1\.0\.0$`},
		{"three commits after it", 3, "", `^1\.0\.0\+3\.g[0-9a-f]{12}$`},
		{"twelve after it", 9, "", `^1\.0\.0\+12\.g[0-9a-f]{12}$`},
		{"a candidate of the next", 0, "v1.0.1-rc.1", `^1\.0\.1-rc\.1$`},
		{"a commit after that", 1, "", `^1\.0\.1-rc\.1\+1\.g[0-9a-f]{12}$`},
		{"the next release", 0, "v1.0.1", `^1\.0\.1$`},
	} {
		h.commit(step.commits)
		if step.tag != "" {
			h.run(nil, "git", "tag", step.tag)
		}
		version := h.version()
		t.Logf("%s: %s", step.name, version)
		wantLine(t, version, step.pattern)
		h.wantAnywhere(version)
		versions = append(versions, version)
	}
	t.Run("deb", func(t *testing.T) { wantSorted(t, debVersions(t, versions), debOlder) })
	t.Run("rpm", func(t *testing.T) { wantSorted(t, rpmVersions(t, versions), rpmOlder) })
}

// TestWhatIsNotCommittedShowsInTheVersion, also on a tag, and still makes the version of a package.
func TestWhatIsNotCommittedShowsInTheVersion(t *testing.T) {
	t.Parallel()
	dist(t)
	h := newHistory(t)
	h.commit(1)
	h.run(nil, "git", "tag", "v1.0.0")
	writeInto(t, h.dir, map[string]string{"file": "changed"})
	wantLine(t, h.version(), `^1\.0\.0\+dirty$`)
	h.commit(1)
	wantLine(t, h.version(), `^1\.0\.0\+1\.g[0-9a-f]{12}\.dirty$`)
	wantSorted(t, debVersions(t, []string{"1.0.0", h.version(), "1.0.1"}), debOlder)
}

// need skips the test where a program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("there is no %s", program)
	}
}

// packed makes a package of nothing for each version, with the version as packaging/nfpm.yaml has it.
func packed(t *testing.T, kind string, versions []string) (files []string) {
	t.Helper()
	nfpm := strings.TrimSpace(run(t, "go", "-C", "../../packaging", "tool", "-n", "nfpm"))
	dir := t.TempDir()
	writeInto(t, dir, map[string]string{"nfpm.yaml": "name: nothing\narch: amd64\nversion: ${VERSION}\nmaintainer: nobody\ndescription: nothing\n"})
	for i, version := range versions {
		file := filepath.Join(dir, fmt.Sprint(i, ".", kind))
		cmd := exec.Command(nfpm, "package", "--config", filepath.Join(dir, "nfpm.yaml"), "--packager", kind, "--target", file)
		cmd.Env = append(os.Environ(), "VERSION="+version)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("nfpm for %s: %v\n%s", version, err, out)
		}
		files = append(files, file)
	}
	return files
}

func debVersions(t *testing.T, versions []string) (all []string) {
	need(t, "dpkg-deb")
	for _, file := range packed(t, "deb", versions) {
		all = append(all, strings.TrimSpace(run(t, "dpkg-deb", "--field", file, "Version")))
	}
	return all
}

func rpmVersions(t *testing.T, versions []string) (all []string) {
	need(t, "rpm")
	for _, file := range packed(t, "rpm", versions) {
		all = append(all, strings.TrimSpace(run(t, "rpm", "-qp", "--nosignature", "--queryformat", "%{VERSION}", file)))
	}
	return all
}

func debOlder(_ *testing.T, a, b string) bool {
	return exec.Command("dpkg", "--compare-versions", a, "lt", b).Run() == nil
}

func rpmOlder(t *testing.T, a, b string) bool {
	return strings.TrimSpace(run(t, "rpm", "--eval", fmt.Sprintf("%%{lua:print(rpm.vercmp(%q, %q))}", a, b))) == "-1"
}

func wantSorted(t *testing.T, versions []string, older func(t *testing.T, a, b string) bool) {
	t.Helper()
	for i := range versions {
		for j := range i {
			if !older(t, versions[j], versions[i]) {
				t.Errorf("%s is not older than %s", versions[j], versions[i])
			}
		}
	}
}
