package mtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestTheDirectoryItselfCannotBeReadAndRecovers(t *testing.T) {
	t.Parallel()
	for _, alertIf := range []string{changed, stale} {
		t.Run(alertIf, func(t *testing.T) {
			t.Parallel()
			withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
				root := filepath.Join(t.TempDir(), "sub")
				p := probe(t, open, root, fmt.Sprintf("alert_if = %q", alertIf))
				want(t, look(t, p), pipeline.Warning, "the directory cannot be read: ", "create it, mount what holds it, or correct the option directory")
				if err := os.WriteFile(root, nil, 0o644); err != nil {
					t.Fatal(err)
				}
				want(t, look(t, p), pipeline.Warning, "the directory cannot be read: ")
				if runtime.GOOS != "windows" {
					want(t, look(t, p), pipeline.Warning, "not a directory", "probe filechange")
				}
				os.Remove(root)
				write(t, filepath.Join(root, "a"), map[string]time.Duration{changed: day, stale: 0}[alertIf])
				want(t, look(t, p), pipeline.Ok)
			})
		})
	}
}

func TestWithoutThePermissionToReadTheDirectory(t *testing.T) {
	t.Parallel()
	ordinary(t)
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		for _, mode := range []os.FileMode{0o000, 0o444, 0o111} { // neither, not enter, not list
			root := plant(t, ages{"a": day})
			forbid(t, root, mode)
			want(t, look(t, probe(t, open, root, "")), pipeline.Warning, "the directory cannot be read: permission denied", "`namei -l "+root+"`", "CAP_DAC_READ_SEARCH")
		}
	})
}

// ordinary skips a test where permissions do not bind whoever runs it.
func ordinary(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("needs an ordinary user: root may read everything")
	}
}

func forbid(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(path, 0o755) })
}

func TestUnreadableEntriesAreCountedAndShown(t *testing.T) {
	t.Parallel()
	ordinary(t)
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		root := plant(t, ages{"a": day, "closed/x": 0, "noentry/x": 0, "noentry/y": 0, "open/b": day})
		forbid(t, filepath.Join(root, "closed"), 0o000)
		forbid(t, filepath.Join(root, "noentry"), 0o444)
		e := look(t, probe(t, open, root, ""))
		want(t, e, pipeline.Ok, "unreadable, so that changes there go unseen**: 3\n",
			"\n  - `closed`: permission denied\n  - `noentry/x`: permission denied\n  - `noentry/y`: permission denied")
		wantAttrs(t, e, map[string]any{"files": 2, "unreadable": 3})
		e = look(t, probe(t, open, root, "alert_if = \"stale\""))
		want(t, e, pipeline.Warning, "of 2 files the newest changed", "unreadable, so that changes there go unseen**: 3\n")
	})
}

// The same without an ordinary user.
func TestRefusedEntriesAreCountedAndShown(t *testing.T) {
	t.Parallel()
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		files := ages{"fresh": 0}
		for i := range 12 {
			files[fmt.Sprintf("closed%02d/x", i)] = 0
		}
		root := plant(t, files)
		tr := &trap{open: open, onOpen: func(path string) error {
			if strings.HasPrefix(path, "closed") {
				return &os.PathError{Op: "open", Path: filepath.Join(root, path), Err: syscall.EIO}
			}
			return nil
		}}
		e := look(t, probe(t, tr.begin, root, ""))
		want(t, e, pipeline.Warning, "1 of 1 files changed", "unseen**: 12\n", "`closed00`: "+syscall.EIO.Error()+"\n", "`closed04`: ", "… and 7 more")
		wantAttrs(t, e, map[string]any{"unreadable": 12, "changed": 1})
		tr.wantAllClosed(t)
	})
}

func TestWhatVanishesDuringTheWalkIsNoTrouble(t *testing.T) {
	t.Parallel()
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		root := plant(t, ages{"a": day, "file": 0, "dir/x": 0, "became-file/x": 0, "became-link/x": 0})
		gone := func(path string) {
			if err := os.RemoveAll(filepath.Join(root, path)); err != nil {
				t.Error(err)
			}
		}
		tr := &trap{open: open,
			onStat: func(path string) error {
				if path == "file" {
					gone(path)
				}
				return nil
			},
			onOpen: func(path string) error {
				switch path {
				case "dir":
					gone(path)
				case "became-file":
					gone(path)
					write(t, filepath.Join(root, path), 0)
				case "became-link":
					gone(path)
					_ = os.Symlink(root, filepath.Join(root, path))
				}
				return nil
			}}
		e := look(t, probe(t, tr.begin, root, ""))
		want(t, e, pipeline.Ok)
		wantAttrs(t, e, map[string]any{"files": 1, "unreadable": 0})
		tr.wantAllClosed(t)
	})
}

func TestATreeTooLargeForOneBatch(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for i := range 1500 {
		write(t, filepath.Join(root, fmt.Sprintf("a-file-with-a-rather-long-name-%d", i)), day)
		write(t, filepath.Join(root, fmt.Sprintf("a-directory-with-a-rather-long-name-%d", i), "x"), day)
	}
	withEachReader(t, func(t *testing.T, open func(string) (folder, error)) {
		for _, workers := range []int{1, 2, 16} {
			tr := &trap{open: open}
			e := look(t, probe(t, tr.begin, root, fmt.Sprintf("concurrency = %d", workers)))
			want(t, e, pipeline.Ok)
			wantAttrs(t, e, map[string]any{"files": 3000})
			tr.wantAllClosed(t)
		}
	})
}

func TestPathsLongerThanTheSystemTakes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only the reader for Linux opens by bare names")
	}
	base := t.TempDir()
	at, err := os.OpenRoot(base)
	if err != nil {
		t.Fatal(err)
	}
	const levels = 60
	name := strings.Repeat("d", 100)
	for range levels { // 6,000 bytes; PATH_MAX is 4,096
		if err := at.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		below, err := at.OpenRoot(name)
		at.Close()
		if err != nil {
			t.Fatal(err)
		}
		at = below
	}
	defer at.Close()
	if err := at.WriteFile("deep", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := at.Chtimes("deep", noon, noon); err != nil {
		t.Fatal(err)
	}
	e := look(t, probe(t, openFolder, base, ""))
	want(t, e, pipeline.Warning, "0s ago: `…ddd", "ddd/deep`")
	wantAttrs(t, e, map[string]any{"files": 1, "changed": 1, "unreadable": 0})
	wantAttrs(t, look(t, probe(t, openFolder, base, "max_depth = 60")), map[string]any{"files": 0})
	wantAttrs(t, look(t, probe(t, openFolder, base, "max_depth = 61")), map[string]any{"files": 1})
}

// A file system that hangs holds the workers in the kernel. The check fails in time, leaves the alert as
// it is, looks at other directories, begins nothing new there, and goes on when the file system answers.
func TestAFileSystemThatHangs(t *testing.T) {
	t.Parallel()
	hanging, well := plant(t, ages{"a": 0}), plant(t, ages{"b": day})
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		tr := &trap{open: openFolder, onStat: func(path string) error {
			if path == "a" {
				<-answer
			}
			return nil
		}}
		p := probe(t, tr.begin, hanging, fmt.Sprintf("directories = [%q]\ntimeout = 5", well))
		for round := range 3 {
			begun := time.Now()
			events, _, err := run(t.Context(), p)
			pipetest.WantError(t, err, hanging+": the file system does not answer", "`findmnt -T "+hanging+"`")
			if len(events) != 2 || events[0].Status != pipeline.Unknown || events[1].Status != pipeline.Ok {
				t.Fatalf("round %d: %v", round, events)
			}
			if took := time.Since(begun); took > p.MaxGather() || round > 0 && took > 0 {
				t.Errorf("round %d took %s", round, took)
			}
			if opened := tr.opened.Load(); opened != int64(2+round) {
				t.Errorf("round %d: %d directories opened: something new was begun", round, opened)
			}
		}
		close(answer)
		synctest.Wait()
		events, _, err := run(t.Context(), p)
		if err != nil || events[0].Status != pipeline.Warning {
			t.Fatalf("%v %v", events, err)
		}
		tr.wantAllClosed(t)
	})
}

func TestATreeThatTakesTooLong(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"a": 0, "b": 0, "c": 0, "d/e": 0, "d/f/g": 0})
	synctest.Test(t, func(t *testing.T) {
		tr := &trap{open: openFolder, onStat: func(path string) error {
			if path != "." {
				time.Sleep(400 * time.Millisecond) // of the bubble's time
			}
			return nil
		}}
		p := probe(t, tr.begin, root, "timeout = 1\nconcurrency = 1")
		events, _, err := run(t.Context(), p)
		pipetest.WantError(t, err, root+": the walk did not come to its end within timeout = 1s: 3 files were seen", "Raise timeout")
		if len(events) != 1 || events[0].Status != pipeline.Unknown {
			t.Errorf("%v", events)
		}
		tr.wantAllClosed(t)
		p.Timeout *= 10
		want(t, look(t, p), pipeline.Warning, "5 of 5 files")
	})
}

func TestWhenTheAgentStopsNothingIsBlamed(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"a": 0, "b/c": 0})
	ctx, cancel := context.WithCancel(t.Context())
	tr := &trap{open: openFolder, onOpen: func(path string) error {
		if path == "b" {
			cancel()
		}
		return nil
	}, onStat: func(path string) error {
		if path == "b/c" {
			<-ctx.Done()
		}
		return nil
	}}
	p := probe(t, tr.begin, root, fmt.Sprintf("directories = [%q]", root))
	p.grace = time.Minute
	events, end, err := run(ctx, p)
	if err != nil || len(events) > 1 || !end.Incomplete[""] {
		t.Errorf("%v %+v %v", events, end, err)
	}
	tr.wantAllClosed(t)
}

func TestAHostWithoutRoomBlamesNoDirectory(t *testing.T) {
	t.Parallel()
	root := plant(t, ages{"a": 0, "b/c": 0, "d/e": 0})
	var full atomic.Bool
	full.Store(true)
	tr := &trap{open: openFolder, onOpen: func(path string) error {
		if path == "b" && full.Load() {
			return syscall.EMFILE
		}
		return nil
	}}
	p := probe(t, tr.begin, root, "")
	events, _, err := run(t.Context(), p)
	pipetest.WantError(t, err, "no room", syscall.EMFILE.Error(), "ulimit -n")
	if len(events) != 1 || events[0].Status != pipeline.Unknown {
		t.Errorf("%v", events)
	}
	tr.wantAllClosed(t)
	full.Store(false)
	want(t, look(t, p), pipeline.Warning)
}

func TestAPanicInAWorkerIsThatOfItsDirectoryAlone(t *testing.T) {
	t.Parallel()
	broken, well := plant(t, ages{"a": 0}), plant(t, ages{"b": day})
	tr := &trap{open: openFolder, onStat: func(path string) error {
		if path == "a" {
			panic(errors.New("no such luck"))
		}
		return nil
	}}
	events, _, err := run(t.Context(), probe(t, tr.begin, broken, fmt.Sprintf("directories = [%q]", well)))
	if err != nil || len(events) != 2 {
		t.Fatalf("%v %v", events, err)
	}
	want(t, events[0], pipeline.Warning, "no such luck", "fault of catpaw")
	want(t, events[1], pipeline.Ok)
}

func TestAStaleMountIsNotGone(t *testing.T) {
	t.Parallel()
	if isGone(syscall.ESTALE) || !isGone(syscall.ENOENT) {
		t.Error("what a dead file server holds counts as deleted")
	}
}
