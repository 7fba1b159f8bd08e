package agent

import (
	"fmt"
	"time"

	"catpaw/internal/markdown"
	"catpaw/pipeline"
)

const (
	// leap is by how much the clocks must disagree for it to be worth telling.
	leap = 5 * time.Second
	// leapNews is for how long it is told.
	leapNews = time.Minute
)

// clocks are one reading of all clocks. While the machine sleeps, steady stands still; awake does not, where the
// system has such a clock.
type clocks struct {
	wall   time.Time     // without its monotonic part
	steady time.Duration // since the process began
	boot   time.Duration // since the machine started, sleep included; 0 = not known here
}

var processBegan = time.Now()

func readClocks() clocks {
	now := time.Now()
	return clocks{wall: now.Round(0), steady: now.Sub(processBegan), boot: sinceBoot()}
}

// clockWatch tells when the machine slept or somebody set the clock: alerts that came, or did not come,
// in that time need to be read with that in mind.
type clockWatch struct {
	read func() clocks
	last clocks
	news string
	at   time.Time
}

// look compares with the last look.
func (w *clockWatch) look(now time.Time) pipeline.Event {
	c := w.read()
	if !w.last.wall.IsZero() {
		if news := difference(w.last, c); news != "" {
			w.news, w.at = news, now
		}
	}
	w.last = c
	event := pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "catpaw clock")}
	var text markdown.Builder
	if w.news != "" && now.Sub(w.at) < leapNews {
		event.Status = pipeline.Warning
		text.Item("seen", "%s", w.news)
		text.Item("meanwhile", "nobody looked while the machine slept; no for_duration counts that time")
	} else {
		text.Item("clock", "it runs on")
	}
	event.Description = text.String()
	return event
}

// difference says what happened to the clocks between two looks, "" where nothing did.
func difference(before, after clocks) string {
	wall, steady := after.wall.Sub(before.wall), after.steady-before.steady
	slept := time.Duration(0)
	if before.boot != 0 {
		slept = after.boot - before.boot - steady
	}
	set := wall - steady - slept
	seconds := func(d time.Duration) time.Duration { return d.Abs().Round(time.Second) }
	var what string
	if slept >= leap {
		what = fmt.Sprintf("the machine slept for %s", seconds(slept))
	}
	if set.Abs() < leap {
		return what
	}
	if what != "" {
		what += ", and "
	}
	switch {
	case set < 0:
		return what + fmt.Sprintf("the clock was set back by %s", seconds(set))
	case before.boot == 0:
		return fmt.Sprintf("the clock was set forward by %s, or the machine slept so long", seconds(set))
	}
	return what + fmt.Sprintf("the clock was set forward by %s", seconds(set))
}
