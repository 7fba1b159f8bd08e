//go:build linux

package journaltail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

const (
	second = time.Second
	minute = time.Minute
)

func TestALineIsToldOnceAndIsBadWhileItIsYoung(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "x", entryOf(-2*minute, "bad, but long ago"), entryOf(-30*second, "bad one"), entryOf(-20*second, "fine"))
	e := w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "`*bad*`", "2026-11-23 08:59:30 app.service/app: bad one", "lines, newest first**: 1",
		"journalctl --directory="+dir+" '--since=2026-11-23 08:59:30'")
	if attr(e, "lines_read") != int64(2) || attr(e, "newest_age_seconds") != 30.0 || e.Labels.String() != "check=c" {
		t.Errorf("%v %v", e.Attrs, e.Labels)
	}
	w.clock = start.Add(20 * second)
	w.wantLines(t, 0, pipeline.Warning) // 50 s old
	write(t, dir, "x", entryOf(15*second, "bad two"))
	e = w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "**: 2\n  - 2026-11-23 09:00:15 app.service/app: bad two\n  - 2026-11-23 08:59:30")
	w.clock = start.Add(75 * second)
	e = w.wantLines(t, 0, pipeline.Ok)
	wantText(t, e.Description, "no line of the journal matched lately")
	if attr(e, "newest_age_seconds") != nil {
		t.Errorf("%v", e.Attrs)
	}
}

func TestOverARestartNothingIsToldTwiceOrMissed(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "x", entryOf(-10*second, "bad one"))
	w.wantLines(t, 1, pipeline.Warning)
	write(t, dir, "x", entryOf(10*second, "bad while nobody looked"))
	w.restart(t)
	w.clock = start.Add(10 * minute)
	e := w.wantLines(t, 1, pipeline.Warning) // late, so it is told in this one run
	wantText(t, e.Description, "bad while nobody looked", "bad one")
	w.restart(t)
	w.wantLines(t, 0, pipeline.Ok)
}

func TestYoungLinesStayBadOverARestart(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "x", entryOf(-10*second, "bad one"))
	w.wantLines(t, 1, pipeline.Warning)
	w.restart(t)
	w.clock = start.Add(40 * second)
	e := w.wantLines(t, 0, pipeline.Warning)
	wantText(t, e.Description, "app: bad one")
}

func TestWithoutALineAtFirstTheEndOfTheJournalIsKept(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'\nunits = ['rare.service']", dir)
	write(t, dir, "x", entryOf(-2*minute, "bad, but long ago"))
	w.wantLines(t, 0, pipeline.Ok)
	// The clock was wrong: what comes now is older than the journal's end.
	write(t, dir, "x", written{-time.Hour, []string{"MESSAGE=bad clock", "_SYSTEMD_UNIT=rare.service"}})
	w.wantLines(t, 1, pipeline.Warning)
	w.wantLines(t, 0, pipeline.Ok)
}

func TestALineFromTheFutureIsNotBadForLonger(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "x", entryOf(24*time.Hour, "bad clock"))
	w.wantLines(t, 1, pipeline.Warning)
	w.clock = start.Add(59 * second)
	w.wantLines(t, 0, pipeline.Warning)
	w.clock = start.Add(61 * second)
	w.wantLines(t, 0, pipeline.Ok)
}

func TestOptionsChooseLines(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	write(t, dir, "x",
		entryOf(-9*second, "bad a", "PRIORITY=3"),
		entryOf(-8*second, "bad b", "PRIORITY=6"),
		written{-7 * second, []string{"MESSAGE=bad c", "SYSLOG_IDENTIFIER=other", "_SYSTEMD_UNIT=other.service", "PRIORITY=4"}},
		written{-6 * second, []string{"MESSAGE=bad d\nsecond line", "SYSLOG_IDENTIFIER=kernel", "_HOSTNAME=web1", "PRIORITY=0"}},
		entryOf(-5*second, "good e, with\x01control", "PRIORITY=6"),
		entryOf(-4*second, "bytes \xff bad f", "PRIORITY=7"),
		entryOf(-3*second, strings.Repeat("long ", 2000)+"bad g", "PRIORITY=7"),
		written{-2 * second, []string{"SYSLOG_IDENTIFIER=silent"}},
		written{-1 * second, []string{"MESSAGE=one", "MESSAGE=bad h", "SYSLOG_IDENTIFIER=twice", "PRIORITY=7"}},
	)
	for _, c := range []struct {
		name, options, want string // the last letters of the matching messages
	}{
		{"include alone", "", "abcdfgh"},
		{"exclude alone chooses all the others", "filter_exclude = ['*bad*']", "e"},
		{"exclude wins", "filter_include = ['*bad*']\nfilter_exclude = ['*bad c*', 'bad b']", "adfgh"},
		{"an exact message", "filter_include = ['bad a']", "a"},
		{"the line as journalctl prints it", "filter_include = ['Nov 23 08:59:51 web1 app?77?: bad a']", "a"},
		{"the beginning of journalctl's line", "filter_include = ['/^Nov 23 .* kernel: bad d$/']", "d"},
		{"one line of several", "filter_include = ['second line']", "d"},
		{"an excluded line does not hide another", "filter_include = ['second*']\nfilter_exclude = ['*bad d']", "d"},
		{"a regular expression", "filter_include = ['/bad [a-c]$/']", "abc"},
		{"a unit", "units = ['app']", "abfg"},
		{"units", "units = ['app.service', 'oth*']", "abcfg"},
		{"a unit that never was", "units = ['nosuch.service']", ""},
		{"a glob of units that matches none", "units = ['nosuch*']", ""},
		{"an identifier", "identifiers = ['kernel']", "d"},
		{"a priority", "priority = 'err'", "ad"},
		{"a priority as a number", "priority = '4'", "acd"},
		{"a range", "priority = 'warning..err'", "ac"},
		{"all of them", "units = ['app']\nidentifiers = ['app']\npriority = '3'", "a"},
		{"a longer time_span", "time_span = '1h'", "abcdfgh"},
		{"a shorter time_span", "time_span = '6.5s'", "dfgh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "directory = '%s'\n%s", dir, c.options)
			status := pipeline.Warning
			if c.want == "" {
				status = pipeline.Ok
			}
			e := w.wantLines(t, len(c.want), status)
			for _, letter := range c.want {
				if !found(w, letter) {
					t.Errorf("the line %c was not found:\n%s", letter, e.Description)
				}
			}
		})
	}
}

// found looks for a line among those that the memory holds; long ones are cut there.
func found(w *world, letter rune) bool {
	m, _ := recall(w.Memo)
	for _, l := range m.Episode.Lines {
		if strings.Contains(l.Text, "bad "+string(letter)) || strings.Contains(l.Text, "good "+string(letter)) || letter == 'g' && strings.Contains(l.Text, "long long") {
			return true
		}
	}
	return false
}

func TestMaxLinesAreShownAndAllAreCounted(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'\nmax_lines = 3", dir)
	var entries []written
	for i := range 50 {
		entries = append(entries, entryOf(time.Duration(i-59)*second, fmt.Sprintf("bad %d\x1b[31m", i)))
	}
	write(t, dir, "x", entries...)
	e := w.wantLines(t, 50, pipeline.Warning)
	wantText(t, e.Description, "**: 50\n", "bad 49·[31m\n", "bad 48", "bad 47", "… and 47 more")
	if strings.Contains(e.Description, "bad 46") {
		t.Error(e.Description)
	}
	w = newWorld(t, "directory = '%s'\nmax_lines = 100", dir)
	e = w.wantLines(t, 50, pipeline.Warning)
	wantText(t, e.Description, "bad 49", "more", "look further")
	if len(e.Description) > pipeline.MaxDescription || strings.Contains(e.Description, "left out") {
		t.Errorf("%d bytes:\n%s", len(e.Description), e.Description)
	}
}

func TestTheAgentsOwnLinesAreNeverRead(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "x",
		written{-5 * second, []string{"MESSAGE=bad: as the agent says", "SYSLOG_IDENTIFIER=catpaw", "_SYSTEMD_UNIT=catpaw.service"}},
		written{-4 * second, []string{"MESSAGE=bad: as this process says", "_PID=" + w.self.pid, "_COMM=" + w.self.comm}},
		written{-3 * second, []string{"MESSAGE=bad: as systemd says", "_PID=1", "SYSLOG_IDENTIFIER=systemd", "UNIT=catpaw.service"}},
	)
	e := w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "as systemd says")
}

func TestARotatedJournalIsReadOn(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "system", entryOf(-20*second, "bad one"))
	w.wantLines(t, 1, pipeline.Warning)
	write(t, dir, "system", entryOf(1*second, "bad two"))
	rename(t, filepath.Join(dir, "system.journal"), filepath.Join(dir, "system@0123456789abcdef0123456789abcdef-0000000000000001-000641d000000000.journal"))
	write(t, dir, "system", entryOf(2*second, "bad three"))
	write(t, dir, "user-1000", entryOf(3*second, "bad four"))
	w.clock = start.Add(5 * second)
	e := w.wantLines(t, 3, pipeline.Warning)
	wantText(t, e.Description, "bad one", "bad two", "bad three", "bad four")
	w.wantLines(t, 0, pipeline.Warning)
}

func TestOfAVacuumedJournalTheGapIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		first, then time.Duration // times of the lines read before, and of the first one left
		gap         bool
	}{
		{"lines may be missing", -20 * second, 2 * minute, true},
		{"all that is gone was read", -20 * second, -10 * second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := directory(t)
			w := newWorld(t, "directory = '%s'", dir)
			write(t, dir, "system", entryOf(c.first, "bad one"))
			w.wantLines(t, 1, pipeline.Warning)
			if err := os.Remove(filepath.Join(dir, "system.journal")); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "system", entryOf(c.then, "bad two"))
			w.clock = start.Add(3 * minute)
			e := w.wantLines(t, 1, pipeline.Warning)
			if c.gap {
				wantText(t, e.Description, "the journal was vacuumed: lines between 2026-11-23 09:00:00 UTC and 2026-11-23 09:02:00 UTC may be missing")
			} else if strings.Contains(e.Description, "missing") {
				t.Error(e.Description)
			}
			w.clock = start.Add(10 * minute)
			if e := w.wantLines(t, 0, pipeline.Ok); strings.Contains(e.Description, "missing") {
				t.Error(e.Description)
			}
		})
	}
}

func TestARareLineThatIsVacuumedIsNoGap(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'\nunits = ['app']", dir)
	write(t, dir, "system", entryOf(-20*second, "bad one"))
	w.wantLines(t, 1, pipeline.Warning)
	other := written{-10 * second, []string{"MESSAGE=noise", "_SYSTEMD_UNIT=other.service"}}
	if err := os.Remove(filepath.Join(dir, "system.journal")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "system", other)
	w.clock = start.Add(5 * minute)
	for range 2 {
		if e := w.wantLines(t, 0, pipeline.Ok); strings.Contains(e.Description, "missing") {
			t.Error(e.Description)
		}
	}
	// After a long time without a look it is asked again.
	if err := os.Remove(filepath.Join(dir, "system.journal")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "system", entryOf(50*minute, "bad two"))
	w.clock = start.Add(time.Hour)
	e := w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "lines between 2026-11-23 09:05:00 UTC and 2026-11-23 09:50:00 UTC may be missing")
}

// A central host collects the journals of others. Their lines come late: one that is older than what was
// read of another machine must not be missed.
func TestOfSeveralMachinesLateLinesAreNotMissed(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "remote-a", entryOf(-20*second, "bad a1"))
	write(t, dir, "remote-b", entryOf(-10*second, "bad b1"))
	w.wantLines(t, 2, pipeline.Warning)
	write(t, dir, "remote-a", entryOf(-15*second, "bad a2"))
	e := w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "b1\n  - 2026-11-23 08:59:45 app.service/app: bad a2\n")
	write(t, dir, "remote-c", entryOf(-time.Hour, "bad, but before anybody looked"), entryOf(-18*second, "bad c1"))
	w.wantLines(t, 1, pipeline.Warning)
	sub := filepath.Join(dir, "0123456789abcdef0123456789abcdef")
	if err := os.MkdirAll(filepath.Join(dir, "no machine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, sub, "system", entryOf(-17*second, "bad d1"))
	write(t, filepath.Join(dir, "no machine"), "system", entryOf(-17*second, "bad e1"))
	w.wantLines(t, 1, pipeline.Warning)
	w.restart(t)
	w.wantLines(t, 0, pipeline.Warning)
}

func TestABrokenFileAmongOthersIsBadAndTheOthersAreRead(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	broken := filepath.Join(dir, "remote-b.journal")
	if err := os.WriteFile(broken, []byte("no journal"), 0o644); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "remote-a", entryOf(-20*second, "bad a1"))
	e := w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "cannot be read", "the files remote-b: ", "bad a1")
	w.clock = start.Add(5 * minute)
	e = w.wantLines(t, 0, pipeline.Warning)
	wantText(t, e.Description, "the files remote-b: ")
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	w.wantLines(t, 0, pipeline.Ok)
}

func TestADirectoryThatIsNotThereIsAnErrorThatRecovers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(directory(t), "later")
	w := newWorld(t, "directory = '%s'", dir)
	_, err := w.TryGather(t)
	pipetest.WantError(t, err, "there is no directory "+dir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = w.TryGather(t)
	pipetest.WantError(t, err, "there are no journal files (*.journal) in "+dir)
	// What came since the first try is not skipped.
	w.clock = start.Add(10 * minute)
	write(t, dir, "x", entryOf(1*second, "bad one"))
	w.wantLines(t, 1, pipeline.Warning)
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	_, err = w.TryGather(t)
	pipetest.WantError(t, err, "there is no directory")
	rename(t, dir+"-away", dir)
	w.wantLines(t, 0, pipeline.Ok)
}

func TestWithoutRightsItSaysWhatToDo(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := directory(t)
	write(t, dir, "remote-a", entryOf(-2*second, "bad one"))
	write(t, dir, "remote-b", entryOf(-2*second, "bad two"))
	w := newWorld(t, "directory = '%s'", dir)
	chmod(t, filepath.Join(dir, "remote-a.journal"), 0)
	e := w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "cannot be read", "remote-a: the user", "bad two")
	chmod(t, filepath.Join(dir, "remote-b.journal"), 0)
	_, err := w.TryGather(t)
	pipetest.WantError(t, err, "may not read all journal files in "+dir, "setfacl")
	chmod(t, dir, 0)
	_, err = w.TryGather(t)
	chmod(t, dir, 0o755)
	pipetest.WantError(t, err, "may not read the directory "+dir)
	chmod(t, filepath.Join(dir, "remote-a.journal"), 0o644)
	chmod(t, filepath.Join(dir, "remote-b.journal"), 0o644)
	w.wantLines(t, 1, pipeline.Warning)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestTheEndTellsOfAllLines(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	w := newWorld(t, "directory = '%s'", dir)
	write(t, dir, "a", entryOf(-20*second, "bad one"))
	w.wantLines(t, 1, pipeline.Warning)
	write(t, dir, "a", entryOf(-10*second, "bad two"))
	w.wantLines(t, 1, pipeline.Warning)
	w.clock = start.Add(5 * minute)
	e := w.wantLines(t, 0, pipeline.Ok)
	wantText(t, e.Description, "no line of the journal matched lately", "lines, newest first**: 2", "bad one", "bad two")
	w.restart(t)
	wantText(t, w.wantLines(t, 0, pipeline.Ok).Description, "bad two")
	write(t, dir, "a", entryOf(5*minute, "bad three"))
	e = w.wantLines(t, 1, pipeline.Warning)
	wantText(t, e.Description, "lines, newest first**: 1", "bad three")
}
