// Package packagetest installs what make package made, as a person would. CATPAW_DIST names the directory.
package packagetest

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dist is the directory of the packages.
func dist(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CATPAW_DIST")
	if dir == "" {
		t.Skip("make test-package makes the packages first, and names them in CATPAW_DIST")
	}
	return dir
}

// one is the file in dist that matches.
func one(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dist(t), pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestTheChecksumsAreThoseOfTheFiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(one(t, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 9 { // 5 archives, 2 deb, 2 rpm
		t.Errorf("%d packages:\n%s", len(lines), text)
	}
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		content, err := os.ReadFile(filepath.Join(dist(t), name))
		if err != nil {
			t.Fatal(err)
		}
		if real := sha256.Sum256(content); hex.EncodeToString(real[:]) != sum {
			t.Errorf("%s: the checksum is wrong", name)
		}
	}
}

// namesIn lists the files of an archive without the directory that all are in.
func namesIn(t *testing.T, archive string) (names []string) {
	t.Helper()
	add := func(name string) {
		_, rest, _ := strings.Cut(name, "/")
		names = append(names, rest)
	}
	if path.Ext(archive) == ".zip" {
		r, err := zip.OpenReader(archive)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, file := range r.File {
			add(file.Name)
		}
		return names
	}
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(plain)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		add(header.Name)
	}
}

func TestTheArchivesHoldWhatOneNeeds(t *testing.T) {
	t.Parallel()
	for pattern, binary := range map[string]string{
		"*-linux-amd64.tar.gz": "catpaw", "*-linux-arm64.tar.gz": "catpaw", "*-darwin-amd64.tar.gz": "catpaw",
		"*-darwin-arm64.tar.gz": "catpaw", "*-windows-amd64.zip": "catpaw.exe",
	} {
		names := namesIn(t, one(t, pattern))
		for _, want := range []string{binary, "README.md", "LICENSE", "CHANGELOG.md", "THIRD_PARTY_LICENSES", "conf.d/config.toml", "conf.d/p.http/http.toml", "docs/api.md"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s lacks %s", pattern, want)
			}
		}
	}
}

func TestTheRPM(t *testing.T) {
	t.Parallel()
	file := one(t, "*.x86_64.rpm")
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Skip("there is no rpm to read it")
	}
	list := run(t, "rpm", "-qplv", file)
	for _, want := range []string{
		"-rwxr-xr-x .* root *root .* /usr/bin/catpaw", "-rw-r----- .* root *catpaw .* /etc/catpaw/conf.d/config.toml",
		"drwxr-x--- .* root *catpaw .* /etc/catpaw/conf.d$", "drwx------ .* catpaw *catpaw .* /var/lib/catpaw$",
		"/usr/lib/systemd/system/catpaw.service", "/usr/share/man/man1/catpaw.1.gz", "/usr/share/zsh/site-functions/_catpaw",
	} {
		wantLine(t, list, want)
	}
	wantLine(t, run(t, "rpm", "-qpc", file), "^/etc/catpaw/conf.d/p.http/http.toml$")
	if scripts := run(t, "rpm", "-qp", "--scripts", file); strings.Count(scripts, "#!/bin/sh") < 4 {
		t.Errorf("scripts are missing:\n%s", scripts)
	}
	run(t, "rpm", "-Kv", "--nosignature", file)
}
