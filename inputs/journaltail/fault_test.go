//go:build linux

package journaltail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"catpaw/internal/command"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// fake is a journalctl of the test's own: a shell script that the test can change between two runs.
type fake struct {
	*world
	path string
}

// newFake makes a probe of this host's journal whose journalctl is the script.
func newFake(t *testing.T, options, body string) *fake {
	t.Helper()
	f := &fake{world: newWorld(t, "%s", options), path: filepath.Join(t.TempDir(), "journalctl")}
	f.Probe.journalctl = f.path
	f.does(t, body)
	return f
}

// does changes the script. The fork lock keeps commands of other tests from inheriting the open file,
// which would make running it fail as "text file busy".
func (f *fake) does(t *testing.T, body string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	prelude := `
entry() { # number, message: an entry so many seconds after the start
	printf '{"__CURSOR":"c=%s","__REALTIME_TIMESTAMP":"` + fmt.Sprint(start.Unix()) + `%06d","MESSAGE":"%s"}\n' $1 $1 "$2"
}
over() { echo >"$0.over"; exec sleep 60; } # now the time is over
last() { case "$*" in *--lines=1*) return 0;; esac; return 1; } # is it only asked for the last entry?
`
	if err := os.WriteFile(f.path, []byte("#!/bin/sh\n"+prelude+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// limitBy makes the script say when the time of a run is over, instead of a clock.
func (f *fake) limitBy(t *testing.T, cause error) {
	t.Helper()
	path := f.path + ".over"
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Probe.limit = func(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(ctx)
		fifo, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Error(err)
			return ctx, func() { cancel(nil) }
		}
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if n, _ := fifo.Read(make([]byte, 1)); n > 0 {
				cancel(cause)
			}
		})
		return ctx, func() { fifo.Close(); waiting.Wait(); cancel(nil) }
	}
}

// wantTrouble runs the probe and wants an error that says so.
func (f *fake) wantTrouble(t *testing.T, pieces ...string) {
	t.Helper()
	before := string(f.Memo)
	events, err := f.TryGather(t)
	pipetest.WantError(t, err, pieces...)
	if len(events) != 0 || string(f.Memo) != before {
		t.Errorf("%d events, memory %s", len(events), f.Memo)
	}
}

const works = `last "$@" && { entry 1 old; exit; }; case "$*" in *--cursor=c=1*) entry 1 old; entry 2 "bad news";; esac`

func TestTroubleIsToldWithItsRemedyAndNothingIsSkipped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"it hangs", "over", []string{"no new line within 10s", "Raise timeout"}},
		{"no rights", "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1", []string{"usermod -aG systemd-journal", "restart the agent"}},
		{"rights to the user's own lines only", `echo 'Hint: You are currently not seeing messages from other users and the system.' >&2; entry 7 "bad"`, []string{"may not read the whole journal", "systemd-journal"}},
		{"an empty journal", "exit 0", []string{"empty, or hidden from the agent", "systemd-journald"}},
		{"garbage", "echo hello", []string{"cannot be understood", `no journal entry: "hello`}},
		{"garbage without end", "while :; do echo hello; done", []string{"cannot be understood"}},
		{"half an entry", `entry 7 bad | head -c 40`, []string{"its output ends in the middle of an entry"}},
		{"an unknown failure", "echo 'Failed to open journal: Bad \x1b message' >&2; exit 3", []string{"exit status 3: Failed to open journal: Bad · message", "by hand"}},
		{"a signal", "kill -SEGV $$", []string{"ended by signal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, "", c.body)
			f.limitBy(t, command.ErrTimeout)
			f.wantTrouble(t, c.want...)
			f.does(t, works)
			f.wantLines(t, 0, pipeline.Ok)
			if c.name == "an empty journal" { // later it is no failure
				return
			}
			f.does(t, strings.Replace(c.body, "entry 7", "entry 1", 1))
			f.wantTrouble(t, c.want...)
			f.does(t, works)
			f.wantLines(t, 1, pipeline.Warning)
		})
	}
}

func TestWithoutJournalctl(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", works)
	f.Probe.journalctl = "catpaw-test-no-such-journalctl"
	f.wantTrouble(t, "catpaw-test-no-such-journalctl is not here", "install systemd")
	f.Probe.journalctl = filepath.Join(t.TempDir(), "journalctl")
	f.wantTrouble(t, "is not here", "install systemd")
	f.Probe.journalctl = f.path
	f.wantLines(t, 0, pipeline.Ok)
}

func TestNoEntriesIsNoFailureHoweverItIsSaid(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":                 `last "$@" && entry 1 old`,
		"exit status 1":           `last "$@" && { entry 1 old; exit; }; exit 1`,
		"a remark":                `last "$@" && { entry 1 old; exit; }; echo '-- No entries --'`,
		"a remark and exit 1":     `last "$@" && { entry 1 old; exit; }; echo '-- No entries --'; exit 1`,
		"no unit matches a glob":  `last "$@" && { entry 1 old; exit; }; echo 'Failed to add filter for units: No data available' >&2; exit 1`,
		"the entry at the cursor": `entry 1 old`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, "filter_exclude = ['*old*']", body)
			for range 2 {
				f.wantLines(t, 0, pipeline.Ok)
			}
		})
	}
}

func TestAnOldJournalctlIsAskedForAllFields(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", `case "$*" in *--output-fields*) echo "journalctl: unrecognized option '--output-fields=MESSAGE'" >&2; exit 1;; esac
last "$@" || entry 3 bad; entry 4 bad`)
	f.wantLines(t, 2, pipeline.Warning)
	if !f.Probe.noFields {
		t.Error("it will be asked for the option again and again")
	}
}

func TestWhatJournalctlIsAsked(t *testing.T) {
	t.Parallel()
	f := newFake(t, "units = ['a b', '-x']\nidentifiers = ['i']\npriority = '3'", `printf '%s\n' "$*" >>"$0.asked"; `+works)
	f.wantLines(t, 0, pipeline.Ok)
	f.wantLines(t, 1, pipeline.Warning)
	asked, err := os.ReadFile(f.path + ".asked")
	if err != nil {
		t.Fatal(err)
	}
	const common = "--no-pager --output=json --all --output-fields=" + outputFields + " "
	want := common + "--lines=1\n" + // the end, before anything is read
		common + "--unit=a b --unit=-x --identifier=i --priority=3 --since=@" + fmt.Sprint(start.Unix()-60) + ".000000\n" +
		common + "--unit=a b --unit=-x --identifier=i --priority=3 --cursor=c=1\n"
	if string(asked) != want {
		t.Errorf("it was asked\n%s, not\n%s", asked, want)
	}
}

func TestAFloodIsReadInSeveralRuns(t *testing.T) {
	t.Parallel()
	const flood = `last "$@" && { entry 1 old; exit; }; case "$*" in
*--since*) for i in 2 3 4; do entry $i bad; done; printf '{"__CUR'; over;;
*--cursor=c=4) for i in 4 5 6; do entry $i bad; done; over;;
*--cursor=c=6) for i in 6 7 8; do entry $i fine; done; over;;
*--cursor=c=8) for i in 8 9; do entry $i fine; done; over;;
*--cursor=c=9) for i in 9 10; do entry $i fine; done;;
esac`
	f := newFake(t, "", flood)
	f.limitBy(t, command.ErrTimeout)
	e := f.wantLines(t, 3, pipeline.Warning)
	wantText(t, e.Description, "behind**: read only as far as the line of 2026-11-23 09:00:00 UTC, since the time (timeout) was over")
	e = f.wantLines(t, 2, pipeline.Warning)
	wantText(t, e.Description, "newest first**: 5")
	f.clock = start.Add(9 * minute) // what was matched is old, but there is more: not judged
	f.wantLines(t, 0, pipeline.Unknown)
	f.clock = start.Add(10 * minute)
	e = f.wantLines(t, 0, pipeline.Warning)
	wantText(t, e.Description, "cannot keep up**: since 2026-11-23 09:00:00 UTC no run came to the end", "raise timeout")
	f.wantLines(t, 0, pipeline.Ok)
}

func TestBehindIsNotJudged(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", `last "$@" && { entry 1 old; exit; }; entry 2 fine; over`)
	f.limitBy(t, command.ErrTimeout)
	e := f.wantLines(t, 0, pipeline.Unknown)
	wantText(t, e.Description, "behind", "the rest is read by the next runs")
}

func TestWhatWasReadBeforeJournalctlFailedCounts(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", `last "$@" && { entry 1 old; exit; }; entry 2 bad; echo 'Failed to iterate through journal: Bad message' >&2; exit 1`)
	e := f.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "behind", "journalctl failed: Failed to iterate through journal: Bad message")
	f.wantTrouble(t, "exit status 1: Failed to iterate") // it comes no further
}

func TestACursorThatIsNotTakenFallsBackToTheTime(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", works)
	f.wantLines(t, 0, pipeline.Ok)
	f.clock = start.Add(20 * second)
	f.does(t, `case "$*" in
*--cursor=c=1*) echo 'Failed to seek to cursor: Invalid argument' >&2; exit 1;;
*--lines=1*) entry 9 bad;;
*--since=@`+fmt.Sprint(start.Unix())+`.000002*) entry 8 bad; entry 9 bad;;
*--cursor=c=9*) entry 9 bad;;
esac`)
	e := f.wantLines(t, 2, pipeline.Warning)
	wantText(t, e.Description, "the place in the journal was lost", "before 2026-11-23 09:00:00 UTC, may be missing")
	f.wantLines(t, 0, pipeline.Warning)
}

func TestWhatJournalctlSaysBesideIsPassedOn(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", "echo 'Journal file /x is truncated, ignoring file.' >&2; "+works)
	e := f.wantLines(t, 0, pipeline.Ok)
	wantText(t, e.Description, "journalctl says: Journal file /x is truncated, ignoring file.")
	e = f.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "journalctl says: Journal file /x is truncated")
}

func TestAStopOfTheAgentEndsJournalctlAndKeepsThePlace(t *testing.T) {
	t.Parallel()
	f := newFake(t, "", `last "$@" && { entry 1 old; exit; }; entry 2 bad; over`)
	f.limitBy(t, context.Canceled)
	ctx, stop := f.Probe.limit(t.Context(), 0) // the agent's context: it ends when the script says so
	defer stop()
	f.Probe.limit = context.WithTimeout
	events, _, memo, err := pipeline.LookAgain(ctx, pipetest.Check(f.Probe), nil)
	if !errors.Is(err, context.Canceled) || len(events) != 0 || memo != nil {
		t.Errorf("%d events, memory %s, %v", len(events), memo, err)
	}
}

func TestJournalctlsHintsAreNeverSilenced(t *testing.T) {
	env := environment()
	for _, want := range []string{"SYSTEMD_LOG_LEVEL=notice", "SYSTEMD_LOG_TARGET=console", "LC_ALL=C"} {
		if !slices.Contains(env, want) {
			t.Errorf("its environment lacks %s", want)
		}
	}
	for _, entry := range env {
		if strings.HasPrefix(entry, "NOTIFY_SOCKET=") {
			t.Error("it could speak to the service manager")
		}
	}
}

// twoMachines makes a directory with the journals of two, of which the script reads what it likes.
func twoMachines(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"remote-a.journal", "remote-b.journal"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFileThatIsRotatedAwayMeanwhileIsLookedForAgain(t *testing.T) {
	t.Parallel()
	dir := twoMachines(t)
	f := newFake(t, "directory = '"+dir+"'", `case "$*" in *remote-b*) [ -e "$0.rotated" ] || { : >"$0.rotated"
	echo 'Failed to open files: No such file or directory' >&2; exit 1; };; esac
last "$@" && { entry 1 old; exit; }; entry 2 bad`)
	e := f.wantLines(t, 2, pipeline.Warning)
	if strings.Contains(e.Description, "cannot be read") {
		t.Error(e.Description)
	}
}

func TestAFloodOfOneMachineDoesNotKeepTheOthersFromBeingRead(t *testing.T) {
	t.Parallel()
	dir := twoMachines(t)
	f := newFake(t, "directory = '"+dir+"'", `last "$@" && { entry 1 old; exit; }
case "$*" in
*remote-a*--cursor=c=2*) entry 2 fine; entry 4 fine; over;;
*remote-a*) entry 2 fine; over;;
*) entry 3 bad;;
esac`)
	f.limitBy(t, command.ErrTimeout)
	f.wantLines(t, 1, pipeline.Warning) // remote-b is the first to be read
	e := f.wantLines(t, 0, pipeline.Warning)
	wantText(t, e.Description, "behind**: read only as far as")
	if m, _ := recall(f.Memo); m.Positions["remote-a"].Cursor != "c=4" || m.Positions["remote-b"].Cursor != "c=3" {
		t.Errorf("%s", f.Memo)
	}
}

func TestTheDeadlineIsOneForAllCalls(t *testing.T) {
	t.Parallel()
	f := newFake(t, "timeout = '300ms'", "sleep 0.2; "+works)
	f.wantTrouble(t, "no new line within 300ms")
	if f.MaxGather() != 300*time.Millisecond+2*command.Overtime {
		t.Errorf("MaxGather says %s", f.MaxGather())
	}
}
