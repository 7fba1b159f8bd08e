package filechange

import (
	"os"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestTheFirstRunJudgesByMtime(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		age  time.Duration
		want pipeline.Status
	}{
		"younger than time_span is a change": {2 * time.Minute, pipeline.Warning},
		"older is none":                      {4 * time.Minute, pipeline.Ok},
		"in the future says nothing":         {-2 * time.Minute, pipeline.Ok},
		"far in the future neither":          {-200 * 365 * 24 * time.Hour, pipeline.Ok},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t, `filepaths = ["DIR/f"]`)
			w.write("f", "hello")
			w.touch("f", time.Now().Add(-row.age))
			e := w.want(row.want, nil)
			if row.want == pipeline.Warning {
				w.want(row.want, []string{"f: changed before the first look at it; made " + time.Now().Add(-row.age).Format(time.DateOnly)})
				w.pass(59 * time.Second)
				w.restart()
				w.wantBad()
				w.pass(time.Second)
			}
			w.wantOk()
			w.pass(time.Hour) // a future mtime that has come is no change either
			w.wantOk()
			if e.Labels.String() != "check=files changed" || e.TitleRule != "$check" {
				t.Errorf("labels %s, title %s", e.Labels, e.TitleRule)
			}
		})
	}
}

func TestOneLookAloneSeesWhatIsYoung(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/f"]`)
	w.must(os.WriteFile(w.path("f"), nil, 0o644))
	for range 2 { // as catpaw once, which gives no memory
		if e := pipetest.Gather(t, w.probe)[0]; e.Status != pipeline.Warning {
			t.Errorf("%v: %s", e.Status, e.Description)
		}
	}
}

func TestALiteralPathMustBeThere(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/f", "DIR/sub/g"]`)
	w.write("f", "hello")
	e := w.wantBad("**missing**: 1", "sub/g: does not exist, nor does its directory", "put it back, or take it out of filepaths")
	wantAttrs(t, e, "files=1 changed=0 missing=1")
	w.pass(time.Hour)
	w.restart()
	w.wantBad("sub/g: does not exist")
	w.write("sub/g", "hello")
	wantAttrs(t, w.wantBad("sub/g: created"), "files=2 changed=1 missing=0")
	w.pass(time.Hour)
	w.wantOk()
	w.must(os.Remove(w.path("sub/g")))
	w.wantBad("sub/g: deleted", "sub/g: does not exist")
	w.pass(time.Hour)
	wantAttrs(t, w.wantBad("sub/g: does not exist"), "changed=0 missing=1")
	w.write("sub/g", "hello")
	w.wantBad("sub/g: created")
	w.pass(time.Hour)
	w.wantOk("2 watched")
}

func TestALinkThatLeadsNowhereIsMissing(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/link"]`)
	w.must(os.Symlink("target", w.path("link")))
	w.wantBad("link: is a symbolic link to target, which does not exist")
	w.write("target", "hello")
	w.wantBad("link: created")
	w.pass(time.Hour)
	w.wantOk()
	w.write("target", "hello again")
	w.wantBad("link: content changed", "size 5 B → 11 B")
	w.pass(time.Hour)
	w.write("other", "hello again")
	w.must(os.Remove(w.path("link")))
	w.must(os.Symlink("other", w.path("link")))
	w.wantBad("link changed", "link target → other")
}

func TestALiteralDirectoryIsWatchedItself(t *testing.T) {
	t.Parallel()
	skipOnWindows(t)
	w := watch(t, `filepaths = ["DIR/sub"]`+"\nchecksum = true")
	w.write("sub/f", "hello")
	w.touch("sub", longAgo)
	w.wantOk("1 watched")
	w.write("sub/g", "hello")
	w.wantBad("sub: entries added or removed")
}

func TestAFileWrittenWhileTheAgentWasDownIsSeen(t *testing.T) {
	t.Parallel()
	w := watch(t, `filepaths = ["DIR/f"]`)
	w.write("f", "hello")
	w.wantOk()
	w.write("f", "hello again")
	w.pass(10 * time.Hour)
	w.restart()
	w.wantBad("content changed", "size 5 B → 11 B")
	w.pass(2 * time.Minute)
	w.wantBad()
	w.pass(time.Minute)
	w.wantOk()
}
