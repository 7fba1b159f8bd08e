package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra/doc"
)

// TestManPages makes a page of every command from what --help says; those for the packages go where CATPAW_MAN says,
// dated as SOURCE_DATE_EPOCH does.
func TestManPages(t *testing.T) {
	t.Parallel()
	dir, at := t.TempDir(), time.Unix(0, 0).UTC()
	if elsewhere := os.Getenv("CATPAW_MAN"); elsewhere != "" {
		dir = elsewhere
	}
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		at = time.Unix(seconds, 0).UTC()
	}
	root := newRoot()
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Title: "CATPAW", Section: "1", Date: &at, Source: "catpaw", Manual: "User Commands"}, dir); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	man, err := exec.LookPath("man")
	if err != nil {
		t.Skip("there is no man to read them")
	}
	for _, page := range pages {
		cmd := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=80")
		var faults strings.Builder
		cmd.Stderr = &faults
		if err := cmd.Run(); err != nil || faults.Len() > 0 {
			t.Errorf("%s: %v %s", filepath.Base(page), err, faults.String())
		}
	}
}
