package silence

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// Window is [[processors.silence]]: a time of the week in which alerts are not told.
type Window struct {
	// labels and globs; every label must be there and fit one of its globs
	Match map[string]config.Strings `toml:"match"`
	// on which the window begins: `"Mon"`, `"Mon-Fri"`, `"Fri-Mon"`. Default: every day.
	Days []string `toml:"days"`
	// time of day at which it opens, such as `"22:00"`
	From string `toml:"from"`
	// time at which it closes; not after `from` means on the next day; `"24:00"` is allowed
	To string `toml:"to"`
	// a name such as `"Europe/Berlin"`; `"UTC"`
	TimeZone string `toml:"time_zone"`
	// for those who look
	Reason string `toml:"reason"`

	Source string `toml:"-"` // file:line

	globs    []pipeline.LabelGlobs
	days     [7]bool // by time.Weekday
	from, to clockTime
	zone     *time.Location
}

type clockTime struct{ hour, minute int }

// NewWindow returns a window with the default options.
func NewWindow() *Window { return &Window{TimeZone: "Local"} }

// Init judges the options.
func (w *Window) Init() error {
	var errs [5]error
	if len(w.Match) == 0 {
		errs[0] = config.Field("match", `say which alerts, as in match = { check = "disk*" }`)
	}
	w.globs, errs[1] = pipeline.CompileLabels("match", w.Match)
	errs[2] = w.judgeDays()
	w.from, errs[3] = parseClock("from", w.From)
	if w.from == midnight {
		errs[3] = config.Field("from", `"24:00" is where a day ends, which only to may be: write "00:00", and mind the day`)
	}
	var err error
	if w.to, err = parseClock("to", w.To); err != nil {
		errs[3] = errors.Join(errs[3], err)
	}
	if errs[3] == nil && w.from == w.to && w.days == everyDay {
		errs[3] = config.Field("to", "it is the same as from: that would be always; give days, or another time")
	}
	if w.zone, err = time.LoadLocation(w.TimeZone); err != nil {
		errs[4] = config.Field("time_zone", `%q is not known here: write it as "Europe/Berlin"; the package tzdata has the list`, w.TimeZone)
	}
	return errors.Join(errs[:]...)
}

// midnight is the end of a day.
var midnight = clockTime{24, 0}

func parseClock(option, text string) (clockTime, error) {
	if text == "24:00" {
		return midnight, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return clockTime{}, config.Field(option, `%q is no time of day: write it as "22:00"`, text)
	}
	return clockTime{t.Hour(), t.Minute()}, nil
}

var dayNames = [...]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

var everyDay = [7]bool{true, true, true, true, true, true, true}

func (w *Window) judgeDays() error {
	if len(w.Days) == 0 {
		w.days = everyDay
	}
	for i, text := range w.Days {
		first, last, isRange := strings.Cut(text, "-")
		if !isRange {
			last = first
		}
		from, to := dayOf(first), dayOf(last)
		if from < 0 || to < 0 {
			return config.Field(fmt.Sprintf("days[%d]", i), `%q is no day: write "Mon" or "Mon-Fri"; the days are %s`, text, strings.Join(dayNames[:], ", "))
		}
		for day := from; ; day = (day + 1) % 7 {
			w.days[day] = true
			if day == to {
				break
			}
		}
	}
	return nil
}

func dayOf(name string) int {
	for i, known := range dayNames {
		if strings.EqualFold(strings.TrimSpace(name), known) {
			return i
		}
	}
	return -1
}

// at reports whether the window is open at a moment, and until when.
func (w *Window) at(now time.Time) (until time.Time, open bool) {
	local := now.In(w.zone)
	for _, back := range []int{0, 1} { // it may have begun yesterday
		day := time.Date(local.Year(), local.Month(), local.Day()-back, 12, 0, 0, 0, w.zone) // noon is on every day
		if !w.days[day.Weekday()] {
			continue
		}
		later := 0
		if !w.from.before(w.to) { // by the clock, not by what the clocks make of it on that night
			later = 1
		}
		begin, end := w.from.first(day), w.to.on(day, later)
		if !local.Before(begin) && local.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

func (c clockTime) before(other clockTime) bool {
	return c.hour < other.hour || c.hour == other.hour && c.minute < other.minute
}

// first is this time of a day, the first where the clocks are set back and it comes twice.
func (c clockTime) first(day time.Time) time.Time {
	at := c.on(day, 0)
	for _, back := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		if earlier := at.Add(-back); earlier.Hour() == at.Hour() && earlier.Minute() == at.Minute() && earlier.Day() == at.Day() {
			return earlier
		}
	}
	return at
}

// on is this time of a day, or so many days later, whatever the clocks do in between.
func (c clockTime) on(day time.Time, later int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day()+later, c.hour, c.minute, 0, 0, day.Location())
}
