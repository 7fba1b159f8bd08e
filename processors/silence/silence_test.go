package silence

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/internal/config"
	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) // a Wednesday

func match(pairs ...string) map[string]config.Strings {
	m := map[string]config.Strings{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = append(m[pairs[i]], pairs[i+1])
	}
	return m
}

func TestASilenceMutesWhatItMatchesUntilItsEnd(t *testing.T) {
	t.Parallel()
	s := New(func(*Process) bool { return true })
	one, err := s.Add(Silence{Match: match("check", "disk*", "check", "inode*", "env", "prod"), Until: now.Add(time.Hour), Reason: "moving"}, now)
	if err != nil || one.ID != 1 {
		t.Fatal(one, err)
	}
	for _, c := range []struct {
		labels pipeline.Labels
		at     time.Time
		want   string
	}{
		{pipeline.L("check", "disk usage", "env", "prod"), now, "silenced by 1 until 2026-03-04 13:00:00 UTC: moving"},
		{pipeline.L("check", "inodes", "env", "prod"), now, "silenced by 1"},
		{pipeline.L("check", "disk usage", "env", "test"), now, ""},
		{pipeline.L("check", "disk usage"), now, ""},
		{pipeline.L("check", "disk usage", "env", "prod"), now.Add(time.Hour), ""},
		{pipeline.L("env", "prod"), now, ""}, // a label that is not there is not silenced by accident
	} {
		if got := s.Mutes("", c.labels, c.at); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%v: %q, want %q", c.labels, got, c.want)
		}
	}
	if over := s.Expire(now.Add(time.Hour)); len(over) != 1 || len(s.List(now)) != 0 {
		t.Errorf("over are %v, left %v", over, s.List(now))
	}
}

func TestASilenceEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	runs := map[int]bool{7: true, 8: true}
	s := New(func(p *Process) bool { return runs[p.PID] })
	one, err := s.Add(Silence{Match: match("check", "*"), Process: Process{PID: 7, Command: "backup.sh"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Follow(one.ID, Process{PID: 8, Command: "backup.sh"}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Follow(one.ID, Process{PID: 9})
	pipetest.WantError(t, err, "process 9 does not run")
	timed, _ := s.Add(Silence{Match: match("check", "x"), Until: now.Add(time.Hour)}, now)
	_, err = s.Follow(timed.ID, Process{PID: 8})
	pipetest.WantError(t, err, "bound to no process")
	if _, err := s.End(timed.ID); err != nil {
		t.Fatal(err)
	}
	runs[7] = false
	if got := s.Mutes("", pipeline.L("check", "c"), now.Add(1000*time.Hour)); got != "silenced by 1 while process 8 (backup.sh) runs" {
		t.Error(got)
	}
	if over := s.Expire(now); len(over) != 0 {
		t.Errorf("over are %v", over)
	}
	runs[8] = false
	if over := s.Expire(now); len(over) != 1 {
		t.Errorf("over are %v", over)
	}
}

func TestSilencesAreKept(t *testing.T) {
	t.Parallel()
	s := New(nil)
	for range 3 {
		if _, err := s.Add(Silence{Match: match("check", "c"), Until: now.Add(time.Hour), By: "me"}, now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.End(3); err != nil {
		t.Fatal(err)
	}
	again := New(nil)
	if err := again.Restore(s.Encode()); err != nil {
		t.Fatal(err)
	}
	if got := again.List(now); len(got) != 2 || got[1].By != "me" || again.Mutes("", pipeline.L("check", "c"), now) == "" {
		t.Errorf("%+v", got)
	}
	if next, _ := again.Add(Silence{Match: match("check", "c"), Until: now.Add(time.Hour)}, now); next.ID != 4 {
		t.Errorf("a number is given twice: %d", next.ID)
	}
	for _, spoilt := range []string{"{", `{"all":[{"id":1,"match":{"a":["["]}}]}`} {
		if New(nil).Restore([]byte(spoilt)) == nil {
			t.Errorf("%s is taken", spoilt)
		}
	}
}

func TestSilencesThatMakeNoSense(t *testing.T) {
	t.Parallel()
	s := New(func(*Process) bool { return false })
	hour := now.Add(time.Hour)
	for want, one := range map[string]Silence{
		"at least one label":    {Until: hour},
		"a label has no name":   {Match: match("", "*"), Until: hour},
		"for how long":          {Match: match("a", "b")},
		"over already":          {Match: match("a", "b"), Until: now},
		"at most a year":        {Match: match("a", "b"), Until: now.AddDate(2, 0, 0)},
		"match.a":               {Match: match("a", "["), Until: hour},
		"process 5 does not":    {Match: match("a", "b"), Process: Process{PID: 5}},
		"match.a: it has no pa": {Match: map[string]config.Strings{"a": {}}, Until: hour},
	} {
		_, err := s.Add(one, now)
		pipetest.WantError(t, err, want)
	}
	_, err := s.End(1)
	pipetest.WantError(t, err, "no silence 1")
}

func window(t *testing.T, options string) *Window {
	t.Helper()
	w := NewWindow()
	pipetest.Options(t, options, w)
	return w
}

func TestWindows(t *testing.T) {
	t.Parallel()
	const layout = "Mon 2006-01-02 15:04"
	for _, c := range []struct{ name, options, at, until string }{
		{"within", "from = '08:00'\nto = '18:00'", "Wed 2026-03-04 12:00", "Wed 2026-03-04 18:00"},
		{"its first minute", "from = '08:00'\nto = '18:00'", "Wed 2026-03-04 08:00", "Wed 2026-03-04 18:00"},
		{"its end is not in it", "from = '08:00'\nto = '18:00'", "Wed 2026-03-04 18:00", ""},
		{"over midnight, before", "from = '22:00'\nto = '06:00'", "Wed 2026-03-04 23:00", "Thu 2026-03-05 06:00"},
		{"over midnight, after", "from = '22:00'\nto = '06:00'", "Thu 2026-03-05 05:59", "Thu 2026-03-05 06:00"},
		{"a day counts where it begins", "days = ['Wed']\nfrom = '22:00'\nto = '06:00'", "Thu 2026-03-05 01:00", "Thu 2026-03-05 06:00"},
		{"and not where it ends", "days = ['Thu']\nfrom = '22:00'\nto = '06:00'", "Thu 2026-03-05 01:00", ""},
		{"a range of days", "days = ['Mon-Fri']\nfrom = '08:00'\nto = '18:00'", "Sat 2026-03-07 12:00", ""},
		{"a range over Sunday", "days = ['Fri-Mon', 'wed']\nfrom = '08:00'\nto = '18:00'", "Sun 2026-03-08 12:00", "Sun 2026-03-08 18:00"},
		{"whole days", "days = ['Sat', 'Sun']\nfrom = '00:00'\nto = '24:00'", "Sun 2026-03-08 23:59", "Mon 2026-03-09 00:00"},
		{"equal times are a whole day", "days = ['Sat']\nfrom = '06:00'\nto = '06:00'", "Sun 2026-03-08 05:00", "Sun 2026-03-08 06:00"},
		{"it would begin in the hour that is not, and is over", "from = '02:10'\nto = '03:00'", "Sun 2026-03-29 03:30", ""},
		{"it begins in the hour that is not", "from = '02:10'\nto = '04:00'", "Sun 2026-03-29 03:30", "Sun 2026-03-29 04:00"},
		{"the night that summer time begins", "from = '01:00'\nto = '04:00'", "Sun 2026-03-29 03:30", "Sun 2026-03-29 04:00"},
	} {
		w := window(t, "match.check = '*'\ntime_zone = 'Europe/Berlin'\n"+c.options)
		at, err := time.ParseInLocation(layout, c.at, w.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if until, open := w.at(at.UTC()); open {
			got = until.Format(layout)
		}
		if got != c.until {
			t.Errorf("%s: open until %q, want %q", c.name, got, c.until)
		}
	}
}

// TestTheHourThatComesTwice: a window that begins in it begins at the first.
func TestTheHourThatComesTwice(t *testing.T) {
	t.Parallel()
	w := window(t, "match.check = '*'\ntime_zone = 'Europe/Berlin'\nfrom = '02:30'\nto = '04:00'")
	for at, want := range map[time.Time]bool{
		time.Date(2026, 10, 25, 0, 20, 0, 0, time.UTC): false, // 02:20, summer time
		time.Date(2026, 10, 25, 0, 40, 0, 0, time.UTC): true,  // 02:40, summer time
		time.Date(2026, 10, 25, 1, 20, 0, 0, time.UTC): true,  // 02:20, winter time
		time.Date(2026, 10, 25, 2, 59, 0, 0, time.UTC): true,
		time.Date(2026, 10, 25, 3, 0, 0, 0, time.UTC):  false,
	} {
		if _, open := w.at(at); open != want {
			t.Errorf("%s: open %v", at, open)
		}
	}
}

func TestAWindowMutes(t *testing.T) {
	t.Parallel()
	w := window(t, "match.check = 'disk*'\nfrom = '00:00'\nto = '24:00'\ntime_zone = 'UTC'\nreason = 'always'")
	w.Source = "config.toml:7"
	s := New(nil)
	s.Use([]*Window{w})
	if got := s.Mutes("", pipeline.L("check", "disk usage"), now); got != "silenced by the window at config.toml:7 until 2026-03-05 00:00:00 UTC: always" {
		t.Error(got)
	}
	if got := s.Mutes("", pipeline.L("check", "load"), now); got != "" {
		t.Error(got)
	}
	if all := s.List(now); len(all) != 1 || all[0].ID != 0 || all[0].Matching() != "check = disk*" {
		t.Errorf("%+v", all)
	}
}

func TestWrongWindows(t *testing.T) {
	t.Parallel()
	const fine = "match.check = '*'\nfrom = '22:00'\nto = '06:00'\n"
	for options, want := range map[string]string{
		"match.check = '*'\nfrom = '24:00'\nto = '06:00'": `from: "24:00" is where a day ends`,
		"from = '22:00'\nto = '06:00'":                    "match: say which alerts",
		"match.check = '*'\nto = '06:00'":                 "from:",
		"match.check = '*'\nfrom = '25:00'\nto = '1'":     "25:00",
		"match.check = '*'\nfrom = '22:00'\nto = '22:00'": "to: it is the same as from: that would be always",
		fine + "days = ['Mo']":                            "days[0]",
		fine + "days = ['Mon-Fry']":                       "Mon-Fri",
		fine + "time_zone = 'Europe/Berlim'":              "time_zone",
		"match.check = '['\nfrom = '22:00'\nto = '6'":     "match.check",
	} {
		pipetest.WantError(t, pipetest.TryOptions(options, NewWindow()), want)
	}
}
