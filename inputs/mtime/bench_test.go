//go:build linux

package mtime

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"catpaw/internal/measure"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// grow makes a tree of so many old files, so many in each directory.
func grow(b *testing.B, files, each int) (root string) {
	b.Helper()
	root = b.TempDir()
	old := time.Now().Add(-48 * time.Hour)
	for i := range files / each {
		dir := filepath.Join(root, fmt.Sprintf("a-directory-%06d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range each {
			name := filepath.Join(dir, fmt.Sprintf("file-%06d.log", j))
			file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				b.Fatal(err)
			}
			file.Close()
			if err := os.Chtimes(name, old, old); err != nil {
				b.Fatal(err)
			}
		}
	}
	return root
}

// BenchmarkWalk compares one Gather over 200,000 files, their inodes in the cache, with find(1) that asks the same.
func BenchmarkWalk(b *testing.B) {
	const files = 200_000
	for _, shape := range []struct {
		name string
		each int
	}{
		{"HundredEach", 100},
		{"OneDirectory", files},
		{"FourEach", 4},
	} {
		b.Run(shape.name, func(b *testing.B) {
			measure.Grow(b, files, func(b *testing.B, n int) {
				root := grow(b, n, shape.each)
				p := New()
				pipetest.Options(b, fmt.Sprintf("directory = %q\ncheck = \"bench\"\ntimeout = '5m'", root), p)
				check := pipetest.Check(p)
				measure.Compare(b,
					func() measure.Figures { return measure.Run(func() { wantAllSeen(b, check, n) }) },
					func() measure.Figures {
						figures, err := measure.Command(exec.Command("find", root, "-type", "f", "-newermt", "3 minutes ago"))
						if err != nil {
							b.Fatal(err)
						}
						return figures
					})
			})
		})
	}
}

func wantAllSeen(b *testing.B, check *pipeline.Check, n int) {
	events, _, err := pipeline.Look(context.Background(), check)
	if err != nil || len(events) != 1 || events[0].Status != pipeline.Ok || events[0].Attrs[0].Value != n {
		b.Fatalf("%v %v", events, err)
	}
}
